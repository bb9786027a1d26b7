import type { KeyObject } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { deriveToken, digestToken } from '#lib/secrets/secrets.ts'
import type { TokenReference } from '#services/mail/message.ts'
import { InvalidOneTimeToken } from './errors.ts'
import * as queries from './queries.ts'

export type { OneTimeToken, Purpose } from './queries.ts'

/** How links in mails are made. */
export interface OneTimeTokenSettings {
  /** Key from which tokens are derived. */
  readonly key: KeyObject
  /** Milliseconds, by purpose. */
  readonly lifetimesMs: Readonly<Record<queries.Purpose, number>>
}

export interface OneTimeTokenContext extends Context {
  readonly oneTimeTokens: OneTimeTokenSettings
}

/** Makes the id of a token, what is stored of it, and its end. */
export function newToken(
  ctx: OneTimeTokenContext,
  purpose: queries.Purpose,
): { id: string; digest: Buffer; expires_at: Date } {
  const { key, lifetimesMs } = ctx.oneTimeTokens
  const id = uuidv7()
  const expires_at = new Date(ctx.now().getTime() + lifetimesMs[purpose])
  return { id, digest: digestToken(deriveToken(key, id)), expires_at }
}

/** Issues a token for one purpose of one user; an older one is void. */
export async function issue(
  ctx: OneTimeTokenContext,
  {
    userId,
    purpose,
    newEmail = null,
  }: { userId: string; purpose: queries.Purpose; newEmail?: string | null },
): Promise<TokenReference> {
  const { id, digest, expires_at } = newToken(ctx, purpose)
  const token = { id, digest, user_id: userId, purpose, new_email: newEmail, expires_at }
  await queries.upsertOneTimeToken(ctx.db, token)
  return { id, expires_at: expires_at.toISOString() }
}

/** Tells what a token is for, without using it up; returns undefined if `consume` would. */
export function find(
  ctx: Context,
  token: string,
  purposes: readonly queries.Purpose[],
): Promise<queries.OneTimeToken | undefined> {
  return queries.selectOneTimeToken(ctx.db, digestToken(token), purposes)
}

/**
 * Tells what a token is for, without using it up.
 *
 * @throws InvalidOneTimeToken
 */
export async function inspect(
  ctx: Context,
  token: string,
  purposes: readonly queries.Purpose[],
): Promise<queries.OneTimeToken> {
  const row = await find(ctx, token, purposes)
  if (!row) throw new InvalidOneTimeToken()
  return row
}

/** Returns what waits under the id of a token; undefined when it was used or replaced, or has expired. */
export function findPending(
  ctx: Context,
  id: string,
  purpose: queries.Purpose,
): Promise<queries.OneTimeToken | undefined> {
  return queries.selectPendingToken(ctx.db, id, purpose)
}

/** Uses a token up; returns undefined if it has another purpose, was used, or has expired. */
export function consume(
  ctx: Context,
  token: string,
  purposes: readonly queries.Purpose[],
): Promise<queries.OneTimeToken | undefined> {
  return queries.deleteOneTimeToken(ctx.db, digestToken(token), purposes)
}

/** Voids every pending token of a user. */
export function voidAll(ctx: Context, userId: string): Promise<void> {
  return queries.deleteTokensOfUser(ctx.db, userId)
}
