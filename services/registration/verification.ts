import { transaction } from '#lib/database/database.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import type { AccountContext } from '#services/account/context.ts'
import { emailVerified } from '#services/account/events.ts'
import { changeEmail } from '#services/account/records.ts'
import { emit } from '#services/events/emit.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import { consume, find, type Purpose } from '#services/one-time-tokens/one-time-tokens.ts'
import * as userRecords from '#services/users/records.ts'
import { verificationMailJob } from './jobs.ts'
import * as queries from './queries.ts'
import { createConfirmed } from './records.ts'

const CONFIRM: readonly Purpose[] = ['verify_email', 'change_email']

/**
 * Confirms an address by the token that was mailed to it: that of a registration, which becomes an account,
 * that of an account, or the new one that an account waits for.
 *
 * @throws InvalidOneTimeToken; EmailTaken, UsernameTaken when somebody else has it by now
 */
export async function verifyEmail(ctx: AccountContext, token: string): Promise<void> {
  const changed = await transaction(ctx, async (tx) => {
    const pending = await find(tx, token, CONFIRM)
    if (!pending) return completeRegistration(tx, token)
    const owner = await userRecords.lockCredentials(tx, pending.user_id)
    const row = await consume(tx, token, CONFIRM)
    if (!row || !owner?.is_active) throw new InvalidOneTimeToken()
    if (row.new_email !== null) return changeEmail(tx, owner.id, row.new_email)
    await userRecords.markVerified(tx, owner.id)
    const actor = { kind: 'user', id: owner.id } as const
    return emit(tx, emailVerified, { subject: owner.id, actor, data: {} })
  })
  if (changed) ctx.identities.forgetUser(changed)
}

/** Asks for a new link; never tells whether there is anything to confirm. */
export async function resendVerification(ctx: AccountContext, email: string): Promise<void> {
  await ctx.jobs.enqueue(ctx.db, verificationMailJob, { email })
}

async function completeRegistration(ctx: AccountContext, token: string): Promise<undefined> {
  const digest = digestToken(token)
  await queries.lockRegistrations(ctx.db, digest)
  const registration = await queries.deleteRegistration(ctx.db, digest)
  if (!registration) throw new InvalidOneTimeToken()
  await createConfirmed(ctx, registration)
}
