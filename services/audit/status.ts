import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'

/** How the log is, for metrics. */
export function auditStatus(ctx: Pick<Context, 'db'>): Promise<queries.AuditStatus> {
  return queries.selectStatus(new SystemDatabase(ctx.db))
}

export type { AuditStatus } from './queries.ts'
