import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import type { User } from '#schemas/users.ts'
import { type EmittingContext, emitting } from '#services/events/emit.ts'
import { UserChanged, UsernameTaken } from './errors.ts'
import { userCreated } from './events.ts'
import { named, present } from './outcomes.ts'
import * as queries from './queries.ts'
import type { ExpectedVersions } from './users.ts'

// What other services read and write of users. Nothing here asks who the actor is, so routes never import it.

/**
 * Creates a user.
 *
 * @throws EmailTaken, UsernameTaken
 */
export async function insert(
  ctx: EmittingContext,
  user: Pick<queries.NewUser, 'email' | 'username' | 'password_hash'> & Partial<queries.NewUser>,
): Promise<User> {
  const row = { role: 'user', verified: false, ...user, id: uuidv7() } as const
  const told = emitting(ctx, userCreated, { subject: row.id, data: {} })
  return present(await named(queries.insertUser(told, row)))
}

/** Returns the user with this id, or undefined. */
export function find(ctx: Pick<Context, 'db'>, id: string): Promise<User | undefined> {
  return queries.selectUserById(ctx.db, id)
}

/**
 * Returns a user if it is one of the expected versions.
 *
 * @throws UserNotFound, UserChanged
 */
export async function getExpected(
  ctx: Pick<Context, 'db'>,
  id: string,
  versions: ExpectedVersions,
): Promise<User> {
  const user = present(await queries.selectUserById(ctx.db, id))
  const isExpected = versions?.includes(user.updated_at) ?? true
  if (!isExpected) throw new UserChanged()
  return user
}

/** Returns the user with this email and when it was confirmed, or undefined. */
export async function findByEmail(
  ctx: Pick<Context, 'db'>,
  email: string,
): Promise<Omit<queries.Credentials, 'password_hash'> | undefined> {
  return queries.selectCredentialsByEmail(ctx.db, email)
}

/**
 * Refuses a name that somebody has.
 *
 * @throws UsernameTaken
 */
export async function assertUsernameFree(ctx: Pick<Context, 'db'>, username: string): Promise<void> {
  if (await queries.selectUsernameExists(ctx.db, username)) throw new UsernameTaken()
}

/** Returns the user with this email and its password's hash, or undefined. For authentication only. */
export function findCredentials(
  ctx: Pick<Context, 'db'>,
  email: string,
): Promise<queries.Credentials | undefined> {
  return queries.selectCredentialsByEmail(ctx.db, email)
}

/**
 * Returns a user and its password's hash as they are now, and keeps both so until the transaction ends. What
 * changes passwords, sessions or tokens of a user takes this lock before all others, so that none waits for
 * the other in a circle. For authentication only.
 */
export function lockCredentials(
  ctx: Pick<Context, 'db'>,
  id: string,
): Promise<queries.Credentials | undefined> {
  return queries.lockCredentials(ctx.db, id)
}

/** Replaces a password's hash; returns false when it changed meanwhile. For authentication only. */
export function replacePasswordHash(
  ctx: Pick<Context, 'db'>,
  id: string,
  oldHash: string,
  newHash: string,
): Promise<boolean> {
  return queries.updatePasswordHash(ctx.db, id, oldHash, newHash)
}

/** Sets a password's hash. */
export function setPasswordHash(ctx: Pick<Context, 'db'>, id: string, hash: string): Promise<void> {
  return queries.setPasswordHash(ctx.db, id, hash)
}

/** Notes that the address is the user's. */
export function markVerified(ctx: Pick<Context, 'db'>, id: string): Promise<void> {
  return queries.updateVerified(ctx.db, id)
}

/**
 * Sets another, confirmed address of a user, and returns the user as it was before.
 *
 * @throws EmailTaken, UserNotFound
 */
export async function replaceEmail(ctx: Pick<Context, 'db'>, id: string, email: string): Promise<User> {
  const before = present(await queries.selectUserById(ctx.db, id))
  present(await named(queries.updateEmail(ctx.db, id, email)))
  return before
}
