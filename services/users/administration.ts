import { validate as isUuid } from 'uuid'
import type { Context } from '#lib/context.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { AdministeredUser, AdministeredUserPage, SearchUsersQuery } from '#schemas/administered-users.ts'
import { present } from './outcomes.ts'
import * as queries from './queries-of-search.ts'
import { type Actor, assertAdmin } from './users.ts'

// What the service's admins see of accounts; what they do with them is in services/account/.

const LIST = 'administered users'

/**
 * Returns a page of users, newest first.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function search(
  ctx: Context & { readonly cursors: Cursors },
  actor: Actor,
  { limit, cursor, q, ...filter }: SearchUsersQuery,
): Promise<AdministeredUserPage> {
  assertAdmin(actor)
  const before = cursor === undefined ? undefined : ctx.cursors.decode(LIST, cursor)
  const text = q?.trim()
  const by = text === undefined || text === '' ? {} : isUuid(text) ? { id: text } : { text }
  const users = await queries.selectAdministeredUsers(ctx.db, { ...filter, ...by, before, limit: limit + 1 })
  return ctx.cursors.page(LIST, users, limit)
}

/**
 * Returns a user.
 *
 * @throws Forbidden, UserNotFound
 */
export async function get(ctx: Pick<Context, 'db'>, actor: Actor, id: string): Promise<AdministeredUser> {
  assertAdmin(actor)
  const [user] = await queries.selectAdministeredUsers(ctx.db, { id, limit: 1 })
  return present(user)
}
