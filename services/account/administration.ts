import { because } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { AdministeredUser, SentMail, UpdateAdministeredUser } from '#schemas/administered-users.ts'
import type { User } from '#schemas/users.ts'
import * as auditRecords from '#services/audit/records.ts'
import { sendMail } from '#services/mail/mail.ts'
import { issue } from '#services/one-time-tokens/one-time-tokens.ts'
import * as administration from '#services/users/administration.ts'
import { UserInactive } from '#services/users/errors.ts'
import type { ExpectedVersions } from '#services/users/users.ts'
import * as account from './account.ts'
import type { AccountContext } from './context.ts'

// What the service's admins do with the accounts of others, and why.

/** The admin, and the session in which it asks. */
interface Admin {
  readonly user: User
  readonly sessionId: string
}

/**
 * Changes what an account may do.
 *
 * @throws Forbidden, UserNotFound, UserChanged, LastAdmin
 */
export async function update(
  ctx: AccountContext,
  admin: Admin,
  id: string,
  { reason, ...changes }: UpdateAdministeredUser,
  versions: ExpectedVersions,
): Promise<AdministeredUser> {
  const { user } = admin
  await administration.get(ctx, user, id)
  await account.update(because(ctx, reason), admin, id, changes, versions)
  return administration.get(ctx, user, id)
}

/**
 * Mails a link to set another password; the old one goes on to hold until the link is used.
 *
 * @throws Forbidden, UserNotFound, UserInactive
 */
export async function sendPasswordReset(
  ctx: AccountContext,
  admin: Admin,
  id: string,
  reason: string,
): Promise<SentMail> {
  const { email, is_active } = await administration.get(ctx, admin.user, id)
  if (!is_active) throw new UserInactive()
  return transaction(because(ctx, reason), async (tx) => {
    const token = await issue(tx, { userId: id, purpose: 'reset_password' })
    const mail_id = await sendMail(tx, { template: 'reset-password', to: email, token })
    await auditRecords.record(tx, {
      action: 'operations.sendUserPasswordReset',
      target: { type: 'user', id },
      details: { mail_id },
    })
    return { mail_id }
  })
}
