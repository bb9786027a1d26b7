import type { Context } from '#lib/context.ts'
import type { Passwords } from './passwords.ts'

/** The stored form of a user's password. */
export interface StoredPassword {
  /** Id of the user. */
  readonly id: string
  /** Null for a user without a password. */
  readonly password_hash: string | null
}

/**
 * Checks a password against the stored hash. Without a user, or with a hash that cannot be used, it does the same
 * work and the password counts as wrong; the log names the user whose hash that is.
 *
 * @returns the hash that the password belongs to; undefined for a wrong password
 * @throws PasswordQueueFull
 */
export async function checkPassword(
  ctx: Pick<Context, 'log'> & { readonly passwords: Passwords },
  stored: StoredPassword | undefined,
  password: string,
): Promise<string | undefined> {
  const hash = stored?.password_hash ?? undefined
  if (hash !== undefined && !ctx.passwords.isUsable(hash)) {
    ctx.log.error({ user_id: stored?.id }, 'a stored password hash is malformed or too expensive to verify')
  }
  return (await ctx.passwords.verify(hash, password)) ? hash : undefined
}
