import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { canonicalCidr } from '#lib/network/networks.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import type {
  ApiKey,
  ApiKeyPage,
  ApiKeyScope,
  CreateApiKey,
  ListApiKeysQuery,
  NewApiKey,
  RotateApiKey,
  UpdateApiKey,
} from '#schemas/api-keys.ts'
import { namesOf } from '#services/events/define-event.ts'
import { emit, emitting } from '#services/events/emit.ts'
import type { MemberContext, OrgContext } from '#services/members/membership.ts'
import * as memberRecords from '#services/members/records.ts'
import { OrganizationSuspended } from '#services/organizations/errors.ts'
import { Forbidden } from '#services/users/errors.ts'
import type { ExpectedVersions } from '#services/users/users.ts'
import { type ApiKeyCaller, forApiKey } from './caller.ts'
import { ApiKeyChanged, ApiKeyEnded, ApiKeyLimitReached, ApiKeyNotFound } from './errors.ts'
import { apiKeyCreated, apiKeyRevoked, apiKeyRotated, apiKeyUpdated } from './events.ts'
import { createKey, hintOf } from './key-format.ts'
import * as queries from './queries.ts'

// Only members manage keys, so everything here but `getCurrent` takes a member's context, which no key has.

/** The parts that changes of keys need. */
export interface ApiKeyContext extends Context {
  /** Makes this instance forget a key at once; the others hear of it through the database. */
  readonly apiKeys: { forget(org: string, id: string): void }
  /** Keys that one organization may have, beside those that ended or are replaced. */
  readonly apiKeysPerOrganization: number
}

const DAY_SECONDS = 86_400
const DEFAULT_DAYS = 90
const MAX_DAYS = 366

/** Position in a list is that of one organization, so a cursor of another is refused. */
const listOf = (ctx: OrgContext) => `api-keys:${ctx.db.org}`

/**
 * Creates a key. Nobody grants one more than they have.
 *
 * @returns the key with its secret, which is in no other answer
 * @throws Forbidden, ApiKeyLimitReached
 */
export async function create(ctx: MemberContext<ApiKeyContext>, input: CreateApiKey): Promise<NewApiKey> {
  const { name, scopes, allowed_networks = [], expires_in_days = DEFAULT_DAYS } = input
  assertMayGrant(ctx, scopes)
  return transaction(ctx, async (tx) => {
    const lifetime = expires_in_days * DAY_SECONDS
    const id = uuidv7()
    // Others wait, so that each counts those before it.
    await memberRecords.lock(tx)
    if ((await queries.countKeys(tx.db)) >= tx.apiKeysPerOrganization) throw new ApiKeyLimitReached()
    await emit(tx, apiKeyCreated, { subject: id, data: {} })
    return insert(tx, id, { name, scopes, allowed_networks, lifetime, is_disabled: false })
  })
}

/**
 * Returns a page of keys, newest first.
 *
 * @throws InvalidCursor
 */
export async function list(
  ctx: MemberContext<Context & { cursors: Cursors }>,
  { limit, cursor }: ListApiKeysQuery,
): Promise<ApiKeyPage> {
  const before = cursor === undefined ? null : ctx.cursors.decode(listOf(ctx), cursor)
  const keys = await queries.selectKeys(ctx.db, { before, limit: limit + 1 })
  return ctx.cursors.page(listOf(ctx), keys, limit)
}

/**
 * Returns a key.
 *
 * @throws ApiKeyNotFound
 */
export async function get(ctx: MemberContext, id: string): Promise<ApiKey> {
  return present(await queries.selectKey(ctx.db, id))
}

/**
 * Returns the key that asks.
 *
 * @throws OrganizationSuspended; ApiKeyNotFound when it was deleted meanwhile
 */
export async function getCurrent(ctx: Context, caller: ApiKeyCaller): Promise<ApiKey> {
  if (caller.isSuspended) throw new OrganizationSuspended()
  return present(await queries.selectKey(forApiKey(ctx, caller).db, caller.id))
}

/**
 * Changes a key; within a second everywhere.
 *
 * @throws ApiKeyNotFound, ApiKeyChanged, ApiKeyEnded, Forbidden
 */
export async function update(
  ctx: MemberContext<ApiKeyContext>,
  id: string,
  changes: UpdateApiKey,
  versions: ExpectedVersions,
): Promise<ApiKey> {
  const { allowed_networks: networks, scopes = [] } = changes
  assertMayGrant(ctx, scopes)
  const allowed = networks === undefined ? {} : { allowed_networks: canonicalNetworks(networks) }
  const changed = await transaction(ctx, async (tx) => {
    const told = emitting(tx, apiKeyUpdated, { subject: id, data: { changed: namesOf(changes) } })
    const key = await queries.updateKey(told, id, { ...changes, ...allowed }, versions)
    if (key === undefined) return missing(tx, id, versions)
    return key
  })
  ctx.apiKeys.forget(ctx.db.org, id)
  return changed
}

/**
 * Ends a key for good: here at once, and within a second everywhere. One that has ended stays so.
 *
 * @throws ApiKeyNotFound, ApiKeyChanged
 */
export async function revoke(
  ctx: MemberContext<ApiKeyContext>,
  id: string,
  versions: ExpectedVersions,
): Promise<void> {
  await transaction(ctx, async (tx) => {
    const told = emitting(tx, apiKeyRevoked, { subject: id, data: {} })
    if (await queries.revokeKey(told, id, versions)) return
    const { status } = await get(tx, id)
    if (status !== 'revoked') throw new ApiKeyChanged()
  })
  ctx.apiKeys.forget(ctx.db.org, id)
}

/**
 * Puts a new key in the place of one, which is accepted for a grace, and then no more. The new one may do the same, lives
 * as long, and is disabled if the other is.
 *
 * @returns the new key with its secret, which is in no other answer
 * @throws ApiKeyNotFound, ApiKeyEnded
 */
export async function rotate(
  ctx: MemberContext<ApiKeyContext>,
  id: string,
  { grace }: RotateApiKey,
): Promise<NewApiKey> {
  const successor = await transaction(ctx, async (tx) => {
    // Nobody takes rights from the old one, or disables it, while the new one is made like it.
    const old = present(await queries.lockKey(tx.db, id))
    assertMayGrant(tx, old.scopes)
    const successorId = uuidv7()
    const told = emitting(tx, apiKeyRotated, { subject: id, data: { replaced_by: successorId } })
    if (!(await queries.replaceKey(told, id, successorId, grace))) throw new ApiKeyEnded()
    const is_disabled = old.status === 'disabled'
    return insert(tx, successorId, { ...old, is_disabled, lifetime: lifetimeOf(old) })
  })
  ctx.apiKeys.forget(ctx.db.org, id)
  return successor
}

type Content = Pick<queries.NewKey, 'name' | 'scopes' | 'allowed_networks' | 'lifetime' | 'is_disabled'>

async function insert(ctx: MemberContext, id: string, content: Content): Promise<NewApiKey> {
  const { name, scopes, allowed_networks, lifetime, is_disabled } = content
  const key = createKey({ org: ctx.db.org, id })
  const row = await queries.insertKey(ctx.db, {
    id,
    name,
    digest: digestToken(key),
    hint: hintOf(key),
    scopes,
    allowed_networks: canonicalNetworks(allowed_networks),
    created_by: ctx.member.user,
    lifetime,
    is_disabled,
  })
  return { ...present(row), key }
}

/** Each network once, in its one form. */
function canonicalNetworks(networks: readonly string[]): string[] {
  return [...new Set(networks.map(canonicalCidr))]
}

/** Seconds from the creation of a key to its end. */
function lifetimeOf({ created_at, expires_at }: ApiKey): number {
  return Math.min((Date.parse(expires_at) - Date.parse(created_at)) / 1000, MAX_DAYS * DAY_SECONDS)
}

function assertMayGrant({ member }: MemberContext, scopes: readonly ApiKeyScope[]): void {
  if (!scopes.every((scope) => member.may(scope))) throw new Forbidden()
}

/** Says why a change found no row: the key is gone, is another version than expected, or has ended. */
async function missing(ctx: MemberContext, id: string, versions: ExpectedVersions): Promise<never> {
  const key = await get(ctx, id)
  const isExpected = versions?.includes(key.updated_at) ?? true
  throw isExpected ? new ApiKeyEnded() : new ApiKeyChanged()
}

function present(key: ApiKey | undefined): ApiKey {
  if (key === undefined) throw new ApiKeyNotFound()
  return key
}
