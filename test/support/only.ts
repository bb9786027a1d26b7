const only = process.env['GROUNDWORK_OPERATIONS']?.split(',')

/** Whether tests that go over all operations are to try one: `GROUNDWORK_OPERATIONS` names some by their ids; without it, all. */
export function isWanted(operationId: string): boolean {
  return only?.includes(operationId) ?? true
}
