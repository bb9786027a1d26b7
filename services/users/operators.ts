import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { CreateUser, Role, User } from '#schemas/users.ts'
import { emit } from '#services/events/emit.ts'
import type { Passwords } from '#services/passwords/passwords.ts'
import { assertAcceptable, type PasswordPolicyContext } from '#services/passwords/policy.ts'
import { userUpdated } from './events.ts'
import { present } from './outcomes.ts'
import * as queries from './queries.ts'
import { insert } from './records.ts'

// What operators do from the command line. Nothing here asks who the actor is, so routes never import it.

/**
 * Creates a user with a password, whose address is taken as confirmed.
 *
 * @throws EmailTaken, UsernameTaken, PasswordQueueFull and what the password policy refuses
 */
export async function create(
  ctx: PasswordPolicyContext & { passwords: Passwords },
  input: CreateUser,
  role: Role = 'user',
): Promise<User> {
  const { email, username, password } = input
  await assertAcceptable(ctx, password, input)
  const password_hash = await ctx.passwords.hash(password)
  return insert(ctx, { email, username, password_hash, role, verified: true })
}

/**
 * Makes the user with this email an admin.
 *
 * @throws UserNotFound
 */
export async function promote(ctx: Context, email: string): Promise<User> {
  return transaction(ctx, async (tx) => {
    const user = present(await queries.updateRoleByEmail(tx.db, email, 'admin'))
    await emit(tx, userUpdated, { subject: user.id, data: { changed: ['role'] } })
    return user
  })
}

/** Accounts whose address is not confirmed: one, or all that were created before a time. */
export type Unverified = { email: string } | { before: Date }

/**
 * Marks addresses as confirmed, and returns how many were not. With a time, accounts without a password are left out:
 * the link that invited them confirms their address.
 *
 * @throws UserNotFound for the email of nobody
 */
export async function verify(ctx: Pick<Context, 'db'>, which: Unverified): Promise<number> {
  if ('before' in which) return queries.updateVerifiedBefore(ctx.db, which.before)
  const { id, email_verified_at } = present(await queries.selectCredentialsByEmail(ctx.db, which.email))
  await queries.updateVerified(ctx.db, id)
  return email_verified_at === null ? 1 : 0
}
