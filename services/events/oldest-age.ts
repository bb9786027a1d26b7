import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'
import type { SinkColumn } from './sink.ts'

/** Returns the seconds that the oldest event has waited for a sink; 0 when none waits. */
export function oldestAge({ db }: Pick<Context, 'db'>, column: SinkColumn): Promise<number> {
  return queries.selectOldestAge(new SystemDatabase(db), column)
}
