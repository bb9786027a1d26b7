import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'

/** Returns the users who are members of an organization, whatever has become of it: to have them heard no more. */
export function memberIds(ctx: Pick<Context, 'db'>, org: string): Promise<string[]> {
  return queries.selectMemberIds(new SystemDatabase(ctx.db), org)
}
