import { transaction } from '#lib/database/database.ts'
import type { CreateUser, InviteUser, User } from '#schemas/users.ts'
import type { AccountContext } from '#services/account/context.ts'
import { sendMail } from '#services/mail/mail.ts'
import { issue, newToken } from '#services/one-time-tokens/one-time-tokens.ts'
import { assertAcceptable } from '#services/passwords/policy.ts'
import * as userRecords from '#services/users/records.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { RegistrationClosed } from './errors.ts'
import { registrationMailJob } from './jobs.ts'
import * as queries from './queries.ts'

/** Somebody who may register. */
export type Candidate = Pick<queries.Registration, 'email' | 'username' | 'password_hash'>

/**
 * Finds out whether somebody may register with this password, and hashes it; that takes its time, so it comes
 * before any transaction.
 *
 * @throws RegistrationClosed, PasswordQueueFull and what the policy refuses
 */
export async function admit(ctx: AccountContext, input: CreateUser): Promise<Candidate> {
  if (ctx.registration === 'closed') throw new RegistrationClosed()
  const { email, username, password } = input
  await assertAcceptable(ctx, password, input)
  return { email, username, password_hash: await ctx.passwords.hash(password) }
}

/**
 * Registers an account. With `verify` nothing tells whether the address is known: the same is stored and
 * enqueued either way, and it is the worker that finds out whom to mail what.
 *
 * @returns the user, or undefined when it is created only once its address is confirmed
 * @throws EmailTaken, UsernameTaken
 */
export async function register(ctx: AccountContext, candidate: Candidate): Promise<User | undefined> {
  if (ctx.registration === 'open') return userRecords.insert(ctx, candidate)

  await userRecords.assertUsernameFree(ctx, candidate.username)
  const { id, digest, expires_at } = newToken(ctx, 'verify_email')
  await transaction(ctx, async (tx) => {
    await queries.insertRegistration(tx.db, { ...candidate, id, digest, expires_at })
    await tx.jobs.enqueue(tx.db, registrationMailJob, { id, expires_at: expires_at.toISOString() })
  })
  return undefined
}

/**
 * Creates an account for somebody, who chooses the password by a mailed link; for admins.
 *
 * @throws Forbidden, EmailTaken, UsernameTaken
 */
export async function invite(ctx: AccountContext, actor: Actor, input: InviteUser): Promise<User> {
  assertAdmin(actor)
  return transaction(ctx, async (tx) => {
    const user = await userRecords.insert(tx, { role: 'user', ...input, password_hash: null })
    const token = await issue(tx, { userId: user.id, purpose: 'choose_password' })
    await sendMail(tx, { template: 'choose-password', to: user.email, token })
    return user
  })
}
