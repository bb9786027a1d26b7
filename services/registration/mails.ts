import { transaction } from '#lib/database/database.ts'
import type { JobRun } from '#lib/jobs/jobs.ts'
import type { AccountContext } from '#services/account/context.ts'
import { mayMail } from '#services/authentication/mail-limit.ts'
import { sendMail } from '#services/mail/mail.ts'
import type { TokenReference } from '#services/mail/message.ts'
import { issue, newToken } from '#services/one-time-tokens/one-time-tokens.ts'
import * as userRecords from '#services/users/records.ts'
import * as queries from './queries.ts'

/** Each ends its job in the transaction of what it does, so that no letter is written twice. */
type Run = Pick<JobRun, 'complete'>

/** Mails what a registration leads to. */
export async function mailRegistration(ctx: AccountContext, token: TokenReference, run: Run): Promise<void> {
  await transaction(ctx, async (tx) => {
    await run.complete(tx.db)
    const registration = await queries.selectRegistration(tx.db, token.id)
    if (!registration || !(await mayMail(tx, registration.email, 'address'))) return
    const { email: to } = registration
    const owner = await userRecords.findByEmail(tx, to)
    if (owner) {
      await sendMail(tx, { template: 'already-registered', to: owner.email })
    } else {
      await sendMail(tx, { template: 'verify-email', to, token })
    }
  })
}

/** Mails a new link to confirm the address of a registration, or of an account that never did. */
export async function mailVerification(ctx: AccountContext, email: string, run: Run): Promise<void> {
  await transaction(ctx, async (tx) => {
    await run.complete(tx.db)
    if (!(await mayMail(tx, email, 'address'))) return
    const owner = await userRecords.findByEmail(tx, email)
    if (owner) {
      if (owner.email_verified_at !== null || !owner.is_active) return
      const token = await issue(tx, { userId: owner.id, purpose: 'verify_email' })
      await sendMail(tx, { template: 'verify-email', to: owner.email, token })
      return
    }
    const next = newToken(tx, 'verify_email')
    const registration = await queries.renewRegistration(tx.db, email, next)
    if (!registration) return
    const { email: to } = registration
    const token = { id: next.id, expires_at: next.expires_at.toISOString() }
    await sendMail(tx, { template: 'verify-email', to, token })
  })
}
