import type { Log } from '#lib/context.ts'

/** Milliseconds between two lines about one trouble. */
const REPEAT_INTERVAL_MS = 60_000
/** Kinds of errors that are told apart. */
const MAX_KINDS = 100

/**
 * Makes what warns of a trouble that comes back with each attempt, such as a server that is away: at once, and then
 * once a minute, with how often it was. Errors of other kinds are troubles of their own.
 *
 * @param now milliseconds of a clock that only goes forward
 */
export function warnOfTrouble(
  log: Pick<Log, 'warn'>,
  message: string,
  now: () => number = () => performance.now(),
): (error: unknown) => void {
  const kinds = new Map<string, { since: number; unlogged: number }>()
  return (error) => {
    const kind = kindOf(error)
    const known = kinds.get(kind)
    if (known && now() - known.since < REPEAT_INTERVAL_MS) {
      known.unlogged++
      return
    }
    log.warn({ err: error, ...(known?.unlogged ? { repeated: known.unlogged } : {}) }, message)
    if (kinds.size >= MAX_KINDS) kinds.clear()
    kinds.set(kind, { since: now(), unlogged: 0 })
  }
}

/** Codes come from a small set, which messages do not. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  return 'code' in error && error.code !== undefined ? String(error.code) : error.message
}
