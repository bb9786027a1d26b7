import { defineJob } from '#lib/jobs/jobs.ts'
import { deliver, type Letter, type MailContext } from './deliver.ts'

/** Sends one mail. The delays add up to about a day, for receivers who want to be asked again later. */
export const sendMailJob = defineJob({
  name: 'send_mail',
  module: 'mail',
  retryLimit: 30,
  retryDelay: 5,
  retryDelayMax: 3600,
  timeout: 120,
  concurrency: 4,
  canRun: (ctx: MailContext) => ctx.mail.transport !== undefined,
  handler: (ctx: MailContext, letter: Letter) => deliver(ctx, letter),
})
