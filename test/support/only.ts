/**
 * The operations that tests which go over all of them are to try, by their ids: those that `GROUNDWORK_OPERATIONS` names.
 * All without it.
 */
export const WANTED = named(process.env['GROUNDWORK_OPERATIONS'])

/** Whether tests that go over all operations are to try one. */
export function isWanted(operationId: string): boolean {
  return WANTED?.has(operationId) ?? true
}

function named(ids: string | undefined): ReadonlySet<string> | undefined {
  return ids === undefined ? undefined : new Set(ids.split(','))
}
