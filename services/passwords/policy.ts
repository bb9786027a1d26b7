import type { Config } from '#config/schema/schema.ts'
import type { Context } from '#lib/context.ts'
import { isBreached } from './breached-passwords.ts'
import { fold, isCommon } from './common-passwords.ts'
import {
  PasswordBreached,
  PasswordCheckUnavailable,
  PasswordHoldsIdentity,
  PasswordTooCommon,
} from './errors.ts'

/** `failed`: the service could not be asked, and `auth.breach_check.on_error` decided. */
export type BreachCheckOutcome = 'clean' | 'breached' | 'failed'

export interface PasswordPolicyContext extends Context {
  readonly passwordPolicy: Pick<Config['auth'], 'password_words' | 'breach_check'>
  /** Is told how each breach check ended. */
  readonly breachChecked?: ((outcome: BreachCheckOutcome) => void) | undefined
}

/** Whose password it is to be. */
export interface PasswordOwner {
  readonly email: string
  readonly username: string
}

/** Shorter names stand in too many words by chance. */
const MIN_NAME_LENGTH = 4

/** Seconds after which a password that could not be checked may be tried again. */
const RETRY_AFTER_SECONDS = 30

/**
 * Refuses a new password that is easily guessed: one that is common, that holds the owner's name or address
 * or a word of this service, or that is known from a breach. Its length is the schema's business. It may ask
 * another service, so it must not be called within a transaction.
 *
 * @throws PasswordTooCommon, PasswordHoldsIdentity, PasswordBreached, PasswordCheckUnavailable
 */
export async function assertAcceptable(
  ctx: PasswordPolicyContext,
  password: string,
  owner: PasswordOwner,
): Promise<void> {
  if (isCommon(password)) throw new PasswordTooCommon()
  const folded = fold(password)
  const words = [...names(owner), ...ctx.passwordPolicy.password_words]
  if (words.some((word) => word.length >= MIN_NAME_LENGTH && folded.includes(fold(word)))) {
    throw new PasswordHoldsIdentity()
  }
  if (await isKnownFromBreach(ctx, password)) throw new PasswordBreached()
}

/** The user name and the address's local part, also without what follows a `+`. */
function names({ email, username }: PasswordOwner): string[] {
  const local = email.slice(0, email.lastIndexOf('@'))
  return [username, local, ...local.split('+').slice(0, 1)]
}

async function isKnownFromBreach(ctx: PasswordPolicyContext, password: string): Promise<boolean> {
  const check = ctx.passwordPolicy.breach_check
  if (check.url === undefined) return false
  try {
    const found = await isBreached(check, password)
    ctx.breachChecked?.(found ? 'breached' : 'clean')
    return found
  } catch (error) {
    ctx.breachChecked?.('failed')
    if (check.on_error === 'closed') {
      throw new PasswordCheckUnavailable({ retryAfter: RETRY_AFTER_SECONDS, cause: error })
    }
    ctx.log.warn({ err: error }, 'the breach check failed, the password is accepted without it')
    return false
  }
}
