import type { Context } from '#lib/context.ts'
import type { User } from '#schemas/users.ts'
import * as userRecords from '#services/users/records.ts'
import * as queries from './queries.ts'

// What other services do to registrations. Nothing here asks who the actor is, so routes never import it.

/**
 * Creates an account whose address was proved, and removes what else waits for the address.
 *
 * @throws EmailTaken, UsernameTaken
 */
export async function createConfirmed(
  ctx: Pick<Context, 'db'>,
  { email, username, password_hash }: Omit<queries.Registration, 'id'>,
): Promise<User> {
  const user = await userRecords.insert(ctx, { email, username, password_hash, verified: true })
  await queries.deleteRegistrationsOf(ctx.db, email)
  return user
}
