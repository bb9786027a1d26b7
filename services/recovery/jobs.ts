import { defineJob } from '#lib/jobs/jobs.ts'
import type { AccountContext } from '#services/account/context.ts'
import { mailReset } from './mails.ts'

// Who an address belongs to is looked up in the worker, as in services/registration/jobs.ts.

/** After "forgot": a link to reset the password, if there is an account. */
export const resetMailJob = defineJob({
  name: 'reset_mail',
  handler: (ctx: AccountContext, { email }: { email: string }, run) => mailReset(ctx, email, run),
})
