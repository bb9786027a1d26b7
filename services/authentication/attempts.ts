import type { Context } from '#lib/context.ts'
import { networkOf } from '#lib/network/addresses.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import * as queries from './queries.ts'

/** How many wrong passwords are borne. */
export interface AttemptLimits {
  readonly perAccount: number
  readonly perAddress: number
  /** Milliseconds from the first until the count begins anew. */
  readonly window: number
}

export interface AttemptContext extends Context {
  readonly attemptLimits: AttemptLimits
}

/**
 * Runs the check of a password with the guesses of it counted, per account and per client network, over all
 * instances. An attempt is counted before the check and taken back after a right password, so that a hundred
 * at once are bounded like a hundred in turn. Beyond the limit nothing is checked: right and wrong look alike.
 *
 * @param check gives undefined for a wrong password
 * @throws TooManyAttempts
 */
export async function guard<T>(
  ctx: AttemptContext,
  email: string,
  check: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const network = { network: networkOf(ctx.client.ip) }
  const account = { email }
  const counted = await queries.countAttempts(ctx.db, { ...account, ...network }, ctx.attemptLimits)
  if (counted === 'not account') {
    await queries.uncountAttempt(ctx.db, network)
    throw await refusal(ctx, account)
  }
  if (counted === 'not network') throw await refusal(ctx, network)
  const result = await check().catch(async (error: unknown) => {
    await queries.uncountAttempt(ctx.db, account)
    await queries.uncountAttempt(ctx.db, network)
    throw error
  })
  if (result !== undefined) {
    await queries.settleAttempts(ctx.db, { ...account, ...network })
  }
  return result
}

/** Forgets the wrong passwords that were counted for an account, whose owner has proved to be that otherwise. */
export function forgive(ctx: Context, email: string): Promise<void> {
  return queries.clearAttempts(ctx.db, { email })
}

async function refusal(ctx: Context, subject: queries.Subject): Promise<Error> {
  const remaining = await queries.selectRemaining(ctx.db, subject)
  return new TooManyAttempts({ retryAfter: Math.max(remaining, 1) })
}
