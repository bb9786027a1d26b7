import { transaction } from '#lib/database/database.ts'
import type { User, UserChanges } from '#schemas/users.ts'
import { erasePersonalDataJob } from '#services/audit/jobs.ts'
import * as auditRecords from '#services/audit/records.ts'
import { emit } from '#services/events/emit.ts'
import * as invitationRecords from '#services/invitations/records.ts'
import { sendMail } from '#services/mail/mail.ts'
import * as mailRecords from '#services/mail/records.ts'
import { issue, voidAll } from '#services/one-time-tokens/one-time-tokens.ts'
import * as organizationRecords from '#services/organizations/records.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import * as userRecords from '#services/users/records.ts'
import * as users from '#services/users/users.ts'
import type { AccountContext } from './context.ts'
import { CurrentPasswordRequired } from './errors.ts'
import { emailChangeRequested } from './events.ts'
import { emailChangeMailJob } from './jobs.ts'
import { assertStillPassword, confirmPassword, type SignedIn } from './password.ts'

/** Changes to an account, and the password that a change of one's own address needs. */
export type AccountChanges = UserChanges & { current_password?: string }

/** A changed account, and the sessions that ended with it, also those of others in which its user acted. */
interface Changed {
  readonly user: User
  readonly ended: readonly string[]
}

/**
 * Changes an account. One's own new email address needs the password and takes effect once it is confirmed;
 * an admin's change of somebody else's takes effect at once, and the old address is told.
 *
 * @throws Forbidden, UserNotFound, UserChanged, EmailTaken, UsernameTaken, LastAdmin; CurrentPasswordRequired,
 * WrongPassword, TooManyAttempts
 */
export async function update(
  ctx: AccountContext,
  signedIn: SignedIn,
  id: string,
  { current_password, ...changes }: AccountChanges,
  versions: users.ExpectedVersions,
): Promise<User> {
  const { user, ended } =
    signedIn.user.id === id
      ? await updateOwn(ctx, signedIn, changes, versions, current_password)
      : await updateOther(ctx, signedIn.user, id, changes, versions)
  forget(ctx, id, ended)
  return user
}

/** Has this instance forget at once what the others hear of through the database. */
function forget({ identities }: AccountContext, id: string, ended: readonly string[]): void {
  identities.forgetUser(id)
  for (const session of ended) identities.forgetSession(session)
}

async function updateOwn(
  ctx: AccountContext,
  signedIn: SignedIn,
  { email, ...changes }: UserChanges,
  versions: users.ExpectedVersions,
  password: string | undefined,
): Promise<Changed> {
  const { user: actor } = signedIn
  users.assertMayChange(actor, actor.id, changes)
  if (email !== undefined && password === undefined) throw new CurrentPasswordRequired()
  // A statement by itself is a transaction, and a third of the way.
  if (email === undefined && !changesPowers(changes) && Object.keys(changes).length > 0) {
    return { user: await users.update(ctx, actor, actor.id, changes, versions), ended: [] }
  }
  const confirmed = email && password ? await confirmPassword(ctx, signedIn, password) : undefined
  return transaction(ctx, async (tx) => {
    if (confirmed !== undefined) await assertStillPassword(tx, actor, confirmed)
    const user =
      Object.keys(changes).length > 0
        ? await users.update(tx, actor, actor.id, changes, versions)
        : await userRecords.getExpected(tx, actor.id, versions)
    if (email !== undefined && email !== user.email) await requestEmailChange(tx, user, email)
    const ended = user.is_active ? [] : await shutOut(tx, user)
    return { user, ended: [...ended, ...(await endPowers(tx, user, changes))] }
  })
}

type Powers = Pick<UserChanges, 'role' | 'is_active'>

function changesPowers({ role, is_active }: Powers): boolean {
  return role !== undefined || is_active !== undefined
}

/**
 * One who was an admin, and is not any more, no longer acts in the place of others; nor does anyone in the place of one who
 * has become an admin. Returns the sessions.
 */
async function endPowers(ctx: AccountContext, user: User, changes: Powers): Promise<string[]> {
  if (!changesPowers(changes)) return []
  const isAdmin = user.role === 'admin' && user.is_active
  return isAdmin
    ? sessionRecords.endImpersonationsOf(ctx, user.id)
    : sessionRecords.endImpersonationsBy(ctx, user.id)
}

/**
 * A user who is let in again later has to sign in again (OWASP ASVS 5.0 V7.4.2), and to ask for new links. Returns the
 * sessions that ended.
 */
async function shutOut(ctx: AccountContext, { id }: User): Promise<string[]> {
  const ended = await sessionRecords.endAll(ctx, id)
  await voidAll(ctx, id)
  return ended
}

/**
 * Voids the older link and issues one for the new address, whatever that address is: what becomes of the older
 * link must not tell whether somebody has the address. The worker finds out whom to mail what.
 */
async function requestEmailChange(ctx: AccountContext, user: User, email: string): Promise<void> {
  const token = await issue(ctx, { userId: user.id, purpose: 'change_email', newEmail: email })
  await ctx.jobs.enqueue(ctx.db, emailChangeMailJob, token)
  await emit(ctx, emailChangeRequested, { subject: user.id, data: {} })
}

async function updateOther(
  ctx: AccountContext,
  actor: User,
  id: string,
  changes: UserChanges,
  versions: users.ExpectedVersions,
): Promise<Changed> {
  return transaction(ctx, async (tx) => {
    const before = changes.email === undefined ? undefined : await userRecords.find(tx, id)
    const user = await users.update(tx, actor, id, changes, versions)
    const out = user.is_active ? [] : await shutOut(tx, user)
    const ended = [...out, ...(await endPowers(tx, user, changes))]
    if (before && before.email !== user.email) {
      // Links that went to the old address are worth nothing any more.
      await voidAll(tx, id)
      const data = { at: tx.now().toISOString() }
      await sendMail(tx, { template: 'email-changed', to: before.email, data })
    }
    return { user, ended }
  })
}

/**
 * Deletes an account, and erases the personal data of what it did from the audit log,
 * and the mails to it.
 *
 * @throws Forbidden, UserNotFound, UserChanged, LastAdmin, SoleOwner
 */
export async function remove(
  ctx: AccountContext,
  actor: User,
  id: string,
  versions: users.ExpectedVersions,
): Promise<void> {
  const ended = await transaction(ctx, async (tx) => {
    if (actor.id === id || actor.role === 'admin') await organizationRecords.releaseOwned(tx, id)
    const user = await userRecords.find(tx, id)
    await invitationRecords.withdrawAllOf(tx, id)
    const acted = await sessionRecords.endImpersonationsBy(tx, id)
    await users.remove(tx, actor, id, versions)
    const hasMore = await auditRecords.erasePersonalData(tx, id)
    if (hasMore) await tx.jobs.enqueue(tx.db, erasePersonalDataJob, { user: id })
    if (user !== undefined) await mailRecords.forget(tx, user.email)
    return acted
  })
  forget(ctx, id, ended)
}
