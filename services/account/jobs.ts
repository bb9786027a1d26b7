import { defineJob } from '#lib/jobs/jobs.ts'
import type { AccountContext } from './context.ts'
import { mailEmailChange } from './mails.ts'

// Who an address belongs to is looked up in the worker, as in services/registration/jobs.ts.

/** After a wish for another address: asks to confirm it, or tells its owner that it has an account already. */
export const emailChangeMailJob = defineJob({
  name: 'email_change_mail',
  handler: (ctx: AccountContext, data: { id: string; expires_at: string }, run) =>
    mailEmailChange(ctx, data, run),
})
