import { defineJob, describeFailure, type JobRun, PermanentFailure } from '#lib/jobs/jobs.ts'
import { deliver, type Letter, type MailContext } from './deliver.ts'
import { selectMail, updateMailAttempt } from './queries.ts'

const RETRY_LIMIT = 30

/** Sends one mail. The delays add up to about a day, for receivers who want to be asked again later. */
export const sendMailJob = defineJob({
  name: 'send_mail',
  module: 'mail',
  retryLimit: RETRY_LIMIT,
  retryDelay: 5,
  retryDelayMax: 3600,
  timeout: 120,
  concurrency: 4,
  canRun: (ctx: MailContext) => ctx.mail.transport !== undefined,
  handler: (ctx: MailContext, letter: Letter, run) => attempt(ctx, letter, run),
})

/** Tries to send a mail unless another one was sent in its place, and notes what came of it. */
async function attempt(ctx: MailContext, letter: Letter, run: Pick<JobRun, 'attempt'>): Promise<void> {
  const known = await selectMail(ctx.db, letter.id)
  if (known?.state === 'replaced') return
  try {
    await note(ctx, letter.id, { state: await deliver(ctx, letter), error: null })
  } catch (error) {
    const isLast = error instanceof PermanentFailure || run.attempt > RETRY_LIMIT
    await note(ctx, letter.id, { state: isLast ? 'failed' : 'retrying', error: describeFailure(error) })
    throw error
  }
}

/** Whether it is noted must not decide whether it is sent again. */
async function note(
  ctx: MailContext,
  id: string,
  outcome: Parameters<typeof updateMailAttempt>[2],
): Promise<void> {
  await updateMailAttempt(ctx.db, id, outcome).catch((cause: unknown) =>
    ctx.log.warn({ err: cause, mail_id: id }, 'what came of a mail could not be noted'),
  )
}
