import { transaction } from '#lib/database/database.ts'
import type { JobRun } from '#lib/jobs/jobs.ts'
import type { AccountContext } from '#services/account/context.ts'
import { mayMail } from '#services/authentication/mail-limit.ts'
import { sendMail } from '#services/mail/mail.ts'
import { issue } from '#services/one-time-tokens/one-time-tokens.ts'
import * as userRecords from '#services/users/records.ts'

/** It ends its job in the transaction of what it does, so that no letter is written twice. */
type Run = Pick<JobRun, 'complete'>

/** Mails a link to reset the password. */
export async function mailReset(ctx: AccountContext, email: string, run: Run): Promise<void> {
  await transaction(ctx, async (tx) => {
    await run.complete(tx.db)
    if (!(await mayMail(tx, email, 'recovery'))) return
    const owner = await userRecords.findByEmail(tx, email)
    if (!owner?.is_active) return
    const token = await issue(tx, { userId: owner.id, purpose: 'reset_password' })
    await sendMail(tx, { template: 'reset-password', to: owner.email, token })
  })
}
