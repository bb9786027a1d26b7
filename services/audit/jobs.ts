import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import { takeCheckpoint } from './checkpoints.ts'
import { type CopySettings, keepCopies } from './copies.ts'
import type { AuditKeys } from './keys.ts'
import * as queries from './queries.ts'
import { erasePersonalData } from './records.ts'
import type { Problem } from './verification/problems.ts'
import { verify } from './verification/verify.ts'

/** The context of the audit log's jobs. */
export interface AuditContext extends Context {
  readonly audit: AuditKeys & CopySettings
}

/** Problems of one run that the log names. */
const MAX_LOGGED = 20

/** Verifies what was sealed since the last checkpoint, signs the next one, and publishes it. */
export const auditCheckpointJob = defineJob({
  name: 'audit_checkpoint',
  cron: '* * * * *',
  retryLimit: 0,
  concurrency: 1,
  handler: async (ctx: AuditContext) => {
    const { note, number, entries, problems } = await takeCheckpoint(ctx)
    await noteResult(ctx, 'new', entries, problems)
    if (note !== undefined) ctx.log.info({ checkpoint: number, note }, 'checkpoint of the audit log')
    await keepCopies(ctx, number)
  },
})

/** Verifies the whole log. */
export const verifyAuditLogJob = defineJob({
  name: 'verify_audit_log',
  cron: '41 3 * * *',
  retryLimit: 2,
  concurrency: 1,
  timeout: 6 * 3600,
  handler: async (ctx: AuditContext) => {
    const { entries, problems } = await verify(ctx)
    await noteResult(ctx, 'all', entries, problems)
  },
})

/** Erases what is left of the personal data of a deleted account. */
export const erasePersonalDataJob = defineJob({
  name: 'erase_personal_data',
  handler: async (ctx: AuditContext, { user }: { readonly user: string }, { signal }) => {
    do signal.throwIfAborted()
    while (await erasePersonalData(ctx, user))
  },
})

async function noteResult(
  ctx: AuditContext,
  kind: 'new' | 'all',
  entries: number,
  problems: readonly Problem[],
): Promise<void> {
  if (problems.length > 0) {
    const named = problems.slice(0, MAX_LOGGED)
    ctx.log.error({ problems: named, count: problems.length }, 'the audit log has been tampered with')
  }
  const result = { kind, at: ctx.now(), entries, problems: problems.length }
  await queries.upsertVerification(new SystemDatabase(ctx.db), result)
}
