import { v7 as uuidv7 } from 'uuid'
import type { Database } from '#lib/database/database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import { sendMailJob } from './jobs.ts'
import type { MailMessage } from './message.ts'
import { insertMail } from './queries.ts'

/**
 * Sends a mail soon: notes it, and enqueues it over `ctx.db`, so that inside a transaction it goes out exactly if that
 * commits.
 *
 * @param resentFrom the mail in whose place it is sent
 * @returns its id
 * @throws DatabaseUnavailable
 */
export async function sendMail(
  ctx: { db: Database; jobs: Jobs },
  message: MailMessage,
  resentFrom: string | null = null,
): Promise<string> {
  const data = { id: uuidv7(), written_at: new Date().toISOString(), message }
  const { template, to } = message
  const row = { template, to, message: JSON.stringify(message), resent_from: resentFrom }
  await ctx.db.transaction(async (db) => {
    await insertMail(db, { id: data.id, written_at: data.written_at, ...row })
    await ctx.jobs.enqueue(db, sendMailJob, data)
  })
  return data.id
}
