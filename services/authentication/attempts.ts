import type { Context } from '#lib/context.ts'
import { networkOf } from '#lib/network/addresses.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import * as queries from './queries.ts'

/** How many wrong passwords are allowed. */
export interface AttemptLimits {
  readonly perAccount: number
  readonly perAddress: number
  /** Milliseconds from the first until the count begins again. */
  readonly windowMs: number
}

export interface AttemptContext extends Context {
  readonly attemptLimits: AttemptLimits
}

/** A guess of a password, which is counted as wrong until it is said to be right or is taken back. */
export interface Attempt {
  /** The password was right: the guesses at it are forgotten, and the network's count is without this attempt again. */
  succeeded(): Promise<void>
  /** Nothing was found out: takes the attempt back, and throws what kept it from being checked. */
  undo(error: unknown): Promise<never>
}

/**
 * Counts an attempt to guess a password, per account or session and per client network, over all instances. It is
 * counted before the password is checked, so that a hundred at once are bounded like a hundred in turn. Beyond the limit
 * nothing is to be checked: right and wrong look alike.
 *
 * A session's guesses count apart from the account's: strangers who guess can't keep the owner from what needs the
 * password, and who stole a token can't keep the owner from signing in.
 *
 * @throws TooManyAttempts
 */
export async function begin(ctx: AttemptContext, guessed: queries.Guessed): Promise<Attempt> {
  const network = { network: networkOf(ctx.client.ip) }
  const subjects = { guessed, ...network }
  const counted = await queries.countAttempts(ctx.db, subjects, ctx.attemptLimits)
  if (counted === 'not network') throw await refusal(ctx, network)
  if (counted === 'not guessed') {
    await queries.uncountAttempt(ctx.db, network)
    throw await refusal(ctx, guessed)
  }
  return {
    succeeded: () => queries.settleAttempts(ctx.db, subjects),
    undo: async (error) => {
      await queries.uncountAttempt(ctx.db, guessed)
      await queries.uncountAttempt(ctx.db, network)
      throw error
    },
  }
}

/** Forgets the wrong passwords counted for an account: its owner has proved to be the owner in another way. */
export function forgive(ctx: Context, email: string): Promise<void> {
  return queries.clearAttempts(ctx.db, { email })
}

async function refusal(ctx: Context, subject: queries.Subject): Promise<Error> {
  const remaining = await queries.selectRemaining(ctx.db, subject)
  return new TooManyAttempts({ retryAfter: Math.max(remaining, 1) })
}
