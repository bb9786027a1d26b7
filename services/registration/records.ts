import type { User } from '#schemas/users.ts'
import type { EmittingContext } from '#services/events/emit.ts'
import * as userRecords from '#services/users/records.ts'
import * as queries from './queries.ts'

// What other services do to registrations. Nothing here asks who the actor is, so routes never import it.

/**
 * Creates an account whose address was proved, and removes what else waits for the address.
 *
 * @throws EmailTaken, UsernameTaken
 */
export async function createConfirmed(
  ctx: EmittingContext,
  { email, username, password_hash }: Omit<queries.Registration, 'id'>,
): Promise<User> {
  const user = await userRecords.insert(ctx, { email, username, password_hash, verified: true })
  await queries.deleteRegistrationsOf(ctx.db, email)
  return user
}
