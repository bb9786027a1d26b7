import { defineJob } from '#lib/jobs/jobs.ts'
import type { AccountContext } from '#services/account/context.ts'
import { mailRegistration, mailVerification } from './mails.ts'

/*
 * Who an address belongs to is looked up here, in the worker, so that the requests do the same work, and take
 * the same time, whether or not it is known. Each mail is counted before the look-up, or the count would tell
 * (decision 027).
 */

/** After a registration: asks to confirm the address, or tells its owner that it is known already. */
export const registrationMailJob = defineJob({
  name: 'registration_mail',
  handler: (ctx: AccountContext, data: { id: string; expires_at: string }, run) =>
    mailRegistration(ctx, data, run),
})

/** After "resend": a new link to confirm an address, if one waits for that. */
export const verificationMailJob = defineJob({
  name: 'verification_mail',
  handler: (ctx: AccountContext, { email }: { email: string }, run) => mailVerification(ctx, email, run),
})
