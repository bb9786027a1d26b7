import { v7 as uuidv7 } from 'uuid'
import type { Database } from '#lib/database/database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import { sendMailJob } from './jobs.ts'
import type { MailMessage } from './message.ts'

/**
 * Sends a mail soon: enqueues it over `ctx.db`, so that inside a transaction it goes out exactly if that
 * commits.
 *
 * @throws DatabaseUnavailable
 */
export async function sendMail(ctx: { db: Database; jobs: Jobs }, message: MailMessage): Promise<void> {
  const data = { id: uuidv7(), written_at: new Date().toISOString(), message }
  await ctx.jobs.enqueue(ctx.db, sendMailJob, data)
}
