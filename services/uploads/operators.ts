import type { Database } from '#lib/database/database.ts'
import * as queries from './operator-queries.ts'

/**
 * Ends the uploads that are under way, after a restore: what had come of them is not in a backup. Their clients are told that
 * they are gone, and begin again. For operators: nobody's rights are asked for.
 *
 * @returns how many there were
 */
export function endUnfinished(db: Pick<Database, 'query'>): Promise<number> {
  return queries.deleteUnfinished(db)
}
