import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { firstIdOf } from './jobs.ts'
import * as queries from './queries.ts'

/** Events that one statement changes: few enough to hold no lock for long. */
const BATCH = 1000

/**
 * Makes the events since a time wait for the broker again; the relays publish them, with the ids that they had.
 *
 * @returns how many there were
 */
export async function republish(db: Database, since: Date): Promise<number> {
  let from = firstIdOf(since.getTime())
  let total = 0
  for (;;) {
    const ids = await queries.unmarkTaken(new SystemDatabase(db), 'broker_at', { from, limit: BATCH })
    total += ids.length
    const last = ids.at(-1)
    if (last === undefined) return total
    from = last
  }
}
