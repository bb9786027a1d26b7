import { brokenConstraint } from '#lib/database/errors.ts'
import type { User } from '#schemas/users.ts'
import { EmailTaken, UserNotFound, UsernameTaken } from './errors.ts'

/**
 * Returns the user that a statement found or changed.
 *
 * @throws UserNotFound
 */
export function present<T extends User>(user: T | undefined): T {
  if (user === undefined) throw new UserNotFound()
  return user
}

/**
 * Turns the broken constraints of a write into the errors they mean.
 *
 * @throws EmailTaken, UsernameTaken
 */
export async function named<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    const constraint = brokenConstraint(error)
    if (constraint === 'users_email_key') throw new EmailTaken({ cause: error })
    if (constraint === 'users_username_key') throw new UsernameTaken({ cause: error })
    throw error
  }
}
