import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { repeatUntil } from '#lib/waiting/repeat.ts'
import type { Places } from './places.ts'
import { selectDueQueues } from './queries.ts'

/** Milliseconds within which a job is begun that nobody announces: a retry, or one for later. */
const LOOK_INTERVAL_MS = 1000

/**
 * Looks by one statement which queues have jobs that are due, and wakes a place for each, until the signal. So idle places
 * need not ask, each for itself.
 *
 * @param working places of this process, by their queue
 */
export function watchDueJobs(
  db: Database,
  log: Log,
  working: ReadonlyMap<string, Places>,
  signal: AbortSignal,
): void {
  const warn = warnOfTrouble(log, 'it is not known which jobs are due')
  const look = async () => {
    if (working.size === 0) return
    for (const name of await selectDueQueues(db, [...working.keys()])) working.get(name)?.wake()
  }
  void repeatUntil(
    signal,
    LOOK_INTERVAL_MS,
    async () => {
      await look().catch(warn)
      return false
    },
    { ref: false },
  )
}
