import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { JsonText } from '#lib/json-text.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { ListUsersQuery, User, UserChanges, UserPage } from '#schemas/users.ts'
import { namesOf } from '#services/events/define-event.ts'
import { emitting } from '#services/events/emit.ts'
import { Forbidden, LastAdmin, UserChanged, UserNotFound } from './errors.ts'
import { userDeleted, userUpdated } from './events.ts'
import { named, present } from './outcomes.ts'
import * as queries from './queries.ts'

/** Who asks. */
export type Actor = Pick<User, 'id' | 'role'>

/** The versions (`updated_at`) that a change applies to; undefined for whichever is there. */
export type ExpectedVersions = readonly string[] | undefined

/** How people get accounts. */
export type RegistrationMode = 'open' | 'verify' | 'closed'

/** The parts that changes need which may remove an admin. */
export interface UserContext extends Context {
  /** With `verify`, nobody signs in before the address is confirmed. */
  readonly registration: RegistrationMode
}

const LIST = 'users'

/**
 * Returns a user that the actor may see.
 *
 * @throws Forbidden, UserNotFound
 */
export async function get(ctx: Context, actor: Actor, id: string): Promise<User> {
  assertSelfOrAdmin(actor, id)
  return present(await queries.selectUserById(ctx.db, id))
}

/**
 * Returns a page of users, newest first; for admins.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: Context & { cursors: Cursors },
  actor: Actor,
  query: ListUsersQuery,
): Promise<JsonText<UserPage>> {
  assertAdmin(actor)
  const { limit, cursor, ...filter } = query
  const before = cursor === undefined ? {} : { before: ctx.cursors.decode(LIST, cursor) }
  const users = await queries.selectUsers(ctx.db, { ...filter, ...before, limit: limit + 1 })
  return ctx.cursors.jsonPage(LIST, users, limit)
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
  const change = async (own: UserContext) => {
    const told = emitting(own, userUpdated, { subject: id, data: { changed: namesOf(changes) } })
    const user = await named(queries.updateUser(told, id, changes, versions))
    return user === undefined ? missing(own, id) : user
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
    const told = emitting(tx, userDeleted, { subject: id, data: {} })
    if (!(await queries.deleteUser(told, id, versions))) await missing(tx, id)
  })
}

/**
 * Refuses what the actor may not change.
 *
 * @throws Forbidden
 */
export function assertMayChange(actor: Actor, id: string, changes: UserChanges): void {
  assertSelfOrAdmin(actor, id)
  const isPrivileged = changes.role !== undefined || changes.is_active !== undefined
  if (isPrivileged) assertAdmin(actor)
}

/**
 * Refuses an actor who is not an admin.
 *
 * @throws Forbidden
 */
export function assertAdmin(actor: Pick<Actor, 'role'>): void {
  if (actor.role !== 'admin') throw new Forbidden()
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
