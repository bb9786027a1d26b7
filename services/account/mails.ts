import { transaction } from '#lib/database/database.ts'
import type { JobRun } from '#lib/jobs/jobs.ts'
import { mayMail } from '#services/authentication/mail-limit.ts'
import { sendMail } from '#services/mail/mail.ts'
import type { TokenReference } from '#services/mail/message.ts'
import { findPending } from '#services/one-time-tokens/one-time-tokens.ts'
import * as userRecords from '#services/users/records.ts'
import type { AccountContext } from './context.ts'

/** It ends its job in the transaction of what it does, so that no letter is written twice. */
type Run = Pick<JobRun, 'complete'>

/** Mails what the wish for another address leads to. */
export async function mailEmailChange(ctx: AccountContext, token: TokenReference, run: Run): Promise<void> {
  await transaction(ctx, async (tx) => {
    await run.complete(tx.db)
    const pending = await findPending(tx, token.id, 'change_email')
    if (!pending?.new_email || !(await mayMail(tx, pending.new_email, 'address'))) return
    const owner = await userRecords.findByEmail(tx, pending.new_email)
    if (owner && owner.id !== pending.user_id) {
      await sendMail(tx, { template: 'already-registered', to: owner.email })
    } else {
      await sendMail(tx, { template: 'confirm-new-email', to: pending.new_email, token })
    }
  })
}
