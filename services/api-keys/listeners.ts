import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'

/** Returns the ids of an organization's keys that have not ended, whatever has become of it. */
export function acceptedKeyIds(ctx: Pick<Context, 'db'>, org: string): Promise<string[]> {
  return queries.selectKeyIds(new SystemDatabase(ctx.db), org)
}
