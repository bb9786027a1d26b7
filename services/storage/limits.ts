import { because, type Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { StorageLimit, UpdateStorageLimit } from '#schemas/administered-files.ts'
import { record } from '#services/audit/records.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { UnknownSpace } from './errors.ts'
import * as queries from './queries.ts'

// How much space the service's admins let a user or organization have.

/** The parts that work on limits needs. */
export interface LimitsContext extends Context {
  readonly files: { readonly quotaPerUser: number; readonly quotaPerOrganization: number }
}

/**
 * Returns how much space a user or organization takes, and may take.
 *
 * @throws Forbidden, UnknownSpace
 */
export async function get(ctx: LimitsContext, actor: Actor, id: string): Promise<StorageLimit> {
  assertAdmin(actor)
  const space = await queries.selectSpace(new SystemDatabase(ctx.db), id)
  if (space === undefined) throw new UnknownSpace()
  const { kind, bytes, maxBytes } = space
  const { quotaPerUser, quotaPerOrganization } = ctx.files
  const quota = kind === 'user' ? quotaPerUser : quotaPerOrganization
  return { id, kind, bytes, max_bytes: maxBytes ?? quota, is_default: maxBytes === null }
}

/**
 * Sets how much space a user or organization may take. Who did it is recorded, and why.
 *
 * @throws Forbidden, UnknownSpace
 */
export async function update(
  ctx: LimitsContext,
  actor: Actor,
  id: string,
  { max_bytes, reason }: UpdateStorageLimit,
): Promise<StorageLimit> {
  assertAdmin(actor)
  return transaction(because(ctx, reason), async (tx) => {
    const { kind } = await get(tx, actor, id)
    await queries.upsertLimit(tx.db, id, max_bytes)
    await record(tx, {
      action: 'operations.updateStorageLimit',
      target: { type: kind, id },
      details: { max_bytes },
    })
    return get(tx, actor, id)
  })
}
