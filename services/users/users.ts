import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { brokenConstraint } from '#lib/database/errors.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { CreateUser, ListUsersQuery, Role, User, UserChanges, UserPage } from '#schemas/users.ts'
import type { Passwords } from '#services/passwords/passwords.ts'
import { assertAcceptable, type PasswordPolicyContext } from '#services/passwords/policy.ts'
import { EmailTaken, Forbidden, LastAdmin, UserChanged, UserNotFound, UsernameTaken } from './errors.ts'
import * as queries from './queries.ts'

/** Who asks. */
export type Actor = Pick<User, 'id' | 'role'>

/** The versions (`updated_at`) that a change applies to; undefined for whichever is there. */
export type ExpectedVersions = readonly string[] | undefined

/** How people get accounts. */
export type RegistrationMode = 'open' | 'verify' | 'closed'

/** What changes that may take an admin away need. */
export interface UserContext extends Context {
  /** With `verify`, nobody signs in before the address is confirmed. */
  readonly registration: RegistrationMode
}

const LIST = 'users'

/**
 * Creates a user; asks no permission.
 *
 * @throws EmailTaken, UsernameTaken
 */
export async function insert(
  ctx: Pick<Context, 'db'>,
  user: Pick<queries.NewUser, 'email' | 'username' | 'password_hash'> & Partial<queries.NewUser>,
): Promise<User> {
  const row = { role: 'user', verified: false, ...user, id: uuidv7() } as const
  return present(await named(queries.insertUser(ctx.db, row)))
}

/**
 * Creates a user with a password, whose address is taken as confirmed; for operators.
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

/** Gives the user with this id, or undefined; asks no permission. */
export function find(ctx: Pick<Context, 'db'>, id: string): Promise<User | undefined> {
  return queries.selectUserById(ctx.db, id)
}

/**
 * Gives a user that the actor may see.
 *
 * @throws Forbidden, UserNotFound
 */
export async function get(ctx: Context, actor: Actor, id: string): Promise<User> {
  assertSelfOrAdmin(actor, id)
  return present(await queries.selectUserById(ctx.db, id))
}

/**
 * Gives a page of users, newest first.
 *
 * @throws InvalidCursor
 */
export async function list(ctx: Context & { cursors: Cursors }, query: ListUsersQuery): Promise<UserPage> {
  const { limit, cursor, ...filter } = query
  const before = cursor === undefined ? {} : { before: ctx.cursors.decode(LIST, cursor) }
  const users = await queries.selectUsers(ctx.db, { ...filter, ...before, limit: limit + 1 })
  return ctx.cursors.page(LIST, users, limit)
}

/**
 * Changes a user.
 *
 * @throws Forbidden, UserNotFound, UserChanged, EmailTaken, UsernameTaken, LastAdmin
 */
export async function update(
  ctx: UserContext,
  actor: Actor,
  id: string,
  changes: UserChanges,
  versions: ExpectedVersions,
): Promise<User> {
  assertMayChange(actor, id, changes)
  const change = async ({ db }: Pick<Context, 'db'>) => {
    const user = await named(queries.updateUser(db, id, changes, versions))
    return user === undefined ? missing({ db }, id) : user
  }
  const mayDisempower = changes.role === 'user' || changes.is_active === false
  if (!mayDisempower) return change(ctx)
  return transaction(ctx, async (tx) => {
    await assertNotLastAdmin(tx, id)
    return change(tx)
  })
}

/**
 * Deletes a user.
 *
 * @throws Forbidden, UserNotFound, UserChanged, LastAdmin
 */
export async function remove(
  ctx: UserContext,
  actor: Actor,
  id: string,
  versions: ExpectedVersions,
): Promise<void> {
  assertSelfOrAdmin(actor, id)
  await transaction(ctx, async (tx) => {
    await assertNotLastAdmin(tx, id)
    if (!(await queries.deleteUser(tx.db, id, versions))) await missing(tx, id)
  })
}

/**
 * Makes the user with this email an admin; for operators, so it asks no permission.
 *
 * @throws UserNotFound
 */
export async function promote(ctx: Context, email: string): Promise<User> {
  return present(await queries.updateRoleByEmail(ctx.db, email, 'admin'))
}

/** Accounts whose address is not confirmed: one, or all that were created before a time. */
export type Unverified = { email: string } | { before: Date }

/**
 * Takes addresses as confirmed, and returns how many were not; for operators, so it asks no permission. Accounts that
 * have no password yet are left out of many: the link that invited them confirms their address.
 *
 * @throws UserNotFound for the email of nobody
 */
export async function verify(ctx: Pick<Context, 'db'>, which: Unverified): Promise<number> {
  if ('before' in which) return queries.updateVerifiedBefore(ctx.db, which.before)
  const { id, email_verified_at } = present(await queries.selectCredentialsByEmail(ctx.db, which.email))
  await queries.updateVerified(ctx.db, id)
  return email_verified_at === null ? 1 : 0
}

/** Gives the user with this email and its password's hash, or undefined. For authentication only. */
export function findCredentials(
  ctx: Pick<Context, 'db'>,
  email: string,
): Promise<queries.Credentials | undefined> {
  return queries.selectCredentialsByEmail(ctx.db, email)
}

/** Gives the user with this email and when it was confirmed, or undefined; asks no permission. */
export async function findByEmail(
  ctx: Pick<Context, 'db'>,
  email: string,
): Promise<Omit<queries.Credentials, 'password_hash'> | undefined> {
  return queries.selectCredentialsByEmail(ctx.db, email)
}

/**
 * Gives a user and its password's hash as they are now, and keeps both so until the transaction ends. What
 * changes passwords, sessions or tokens of a user takes this lock before all others, so that none waits for
 * the other in a circle. For authentication only.
 */
export function lockCredentials(
  ctx: Pick<Context, 'db'>,
  id: string,
): Promise<queries.Credentials | undefined> {
  return queries.lockCredentials(ctx.db, id)
}

/** Replaces a password's hash; gives false when it changed meanwhile. For authentication only. */
export function replacePasswordHash(
  ctx: Pick<Context, 'db'>,
  id: string,
  oldHash: string,
  newHash: string,
): Promise<boolean> {
  return queries.updatePasswordHash(ctx.db, id, oldHash, newHash)
}

/** Sets a password's hash; asks no permission. */
export function setPasswordHash(ctx: Pick<Context, 'db'>, id: string, hash: string): Promise<void> {
  return queries.setPasswordHash(ctx.db, id, hash)
}

/** Notes that the address is the user's; asks no permission. */
export function markVerified(ctx: Pick<Context, 'db'>, id: string): Promise<void> {
  return queries.updateVerified(ctx.db, id)
}

/**
 * Sets another, confirmed address of a user, and returns the user as it was before; asks no permission.
 *
 * @throws EmailTaken, UserNotFound
 */
export async function replaceEmail(ctx: Pick<Context, 'db'>, id: string, email: string): Promise<User> {
  const before = present(await queries.selectUserById(ctx.db, id))
  present(await named(queries.updateEmail(ctx.db, id, email)))
  return before
}

/**
 * Refuses a name that somebody has.
 *
 * @throws UsernameTaken
 */
export async function assertUsernameFree(ctx: Pick<Context, 'db'>, username: string): Promise<void> {
  if (await queries.selectUsernameExists(ctx.db, username)) throw new UsernameTaken()
}

/**
 * Gives a user if it is one of the expected versions.
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

/**
 * Refuses what the actor may not change.
 *
 * @throws Forbidden
 */
export function assertMayChange(actor: Actor, id: string, changes: UserChanges): void {
  assertSelfOrAdmin(actor, id)
  const isPrivileged = changes.role !== undefined || changes.is_active !== undefined
  if (isPrivileged && actor.role !== 'admin') throw new Forbidden()
}

/** Whether the id exists is told to admins only. */
function assertSelfOrAdmin(actor: Actor, id: string): void {
  if (actor.id !== id && actor.role !== 'admin') throw new Forbidden()
}

/**
 * Refuses to take the last admin away. Only those who can sign in count as the others: one who was invited, or never
 * confirmed the address where that is asked for, could not take over (decision 028).
 *
 * @throws LastAdmin
 */
async function assertNotLastAdmin(ctx: UserContext, id: string): Promise<void> {
  const admins = await queries.lockActiveAdmins(ctx.db, { verified: ctx.registration === 'verify' })
  const others = admins.filter((admin) => admin.id !== id && admin.can_sign_in)
  if (others.length === 0 && admins.some((admin) => admin.id === id)) throw new LastAdmin()
}

/** Says why a change found no row: the user is gone, or is another version than expected. */
async function missing(ctx: Pick<Context, 'db'>, id: string): Promise<never> {
  const user = await queries.selectUserById(ctx.db, id)
  throw user === undefined ? new UserNotFound() : new UserChanged()
}

function present<T extends User>(user: T | undefined): T {
  if (user === undefined) throw new UserNotFound()
  return user
}

/** Turns the broken constraints of a write into the errors they mean. */
async function named<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    const constraint = brokenConstraint(error)
    if (constraint === 'users_email_key') throw new EmailTaken({ cause: error })
    if (constraint === 'users_username_key') throw new UsernameTaken({ cause: error })
    throw error
  }
}
