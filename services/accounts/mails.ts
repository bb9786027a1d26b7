import { mayMail } from '../attempts/mail-limit.ts'
import { transaction } from '../database/database.ts'
import type { JobRun } from '../jobs/jobs.ts'
import { sendMail } from '../mail/mail.ts'
import { issue, newToken, type TokenReference } from '../one-time-tokens/one-time-tokens.ts'
import * as users from '../users/users.ts'
import type { AccountContext } from './context.ts'
import * as queries from './queries.ts'

/** Each ends its job in the transaction of what it does, so that no letter is written twice. */
type Run = Pick<JobRun, 'complete'>

/** Mails what a registration leads to. */
export async function mailRegistration(ctx: AccountContext, token: TokenReference, run: Run): Promise<void> {
  await transaction(ctx, async (tx) => {
    await run.complete(tx.db)
    const registration = await queries.selectRegistration(tx.db, token.id)
    if (!registration || !(await mayMail(tx, registration.email, 'address'))) return
    const { email: to, username } = registration
    const owner = await users.findByEmail(tx, to)
    if (owner) {
      const data = { username: owner.username }
      await sendMail(tx, { template: 'already-registered', to: owner.email, data })
    } else {
      await sendMail(tx, { template: 'verify-email', to, data: { username }, token })
    }
  })
}

/** Mails a new link to confirm the address of a registration, or of an account that never did. */
export async function mailVerification(ctx: AccountContext, email: string, run: Run): Promise<void> {
  await transaction(ctx, async (tx) => {
    await run.complete(tx.db)
    const owner = await users.findByEmail(tx, email)
    if (owner) {
      if (owner.email_verified_at !== null || !owner.is_active) return
      if (!(await mayMail(tx, email, 'address'))) return
      const token = await issue(tx, { user_id: owner.id, purpose: 'verify_email' })
      const { email: to, username } = owner
      await sendMail(tx, { template: 'verify-email', to, data: { username }, token })
      return
    }
    if (!(await queries.selectRegistrationExists(tx.db, email))) return
    if (!(await mayMail(tx, email, 'address'))) return
    const next = newToken(tx, 'verify_email')
    const registration = await queries.renewRegistration(tx.db, email, next)
    if (!registration) return
    const { email: to, username } = registration
    const token = { id: next.id, expires_at: next.expires_at.toISOString() }
    await sendMail(tx, { template: 'verify-email', to, data: { username }, token })
  })
}

/** Mails a link to reset the password. */
export async function mailReset(ctx: AccountContext, email: string, run: Run): Promise<void> {
  await transaction(ctx, async (tx) => {
    await run.complete(tx.db)
    const owner = await users.findByEmail(tx, email)
    if (!owner?.is_active || !(await mayMail(tx, email, 'recovery'))) return
    const token = await issue(tx, { user_id: owner.id, purpose: 'reset_password' })
    const { email: to, username } = owner
    await sendMail(tx, { template: 'reset-password', to, data: { username }, token })
  })
}
