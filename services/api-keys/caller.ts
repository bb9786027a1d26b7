import type { Context } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import { Networks } from '#lib/network/networks.ts'
import { API_KEY_SCOPES, type ApiKeyScope } from '#schemas/api-keys.ts'
import type { OrgContext } from '#services/members/membership.ts'
import type { Permission } from '#services/members/permissions.ts'

/** Columns of a key that is accepted. */
export interface CallerRow {
  id: string
  digest: Buffer
  scopes: string[]
  allowed_networks: string[]
  /** Whether the operator has suspended its organization. */
  is_suspended: boolean
}

/** A program that has authenticated by a key: no person, so it has no account, no role and no session. */
export class ApiKeyCaller {
  readonly org: string
  readonly id: string
  /** SHA-256 of the key. */
  readonly digest: Buffer
  /** Whether the operator has suspended the organization. */
  readonly isSuspended: boolean
  readonly #scopes: ReadonlySet<string>
  readonly #networks: Networks | undefined

  constructor(org: string, { id, digest, scopes, allowed_networks, is_suspended }: CallerRow) {
    this.org = org
    this.id = id
    this.digest = digest
    this.isSuspended = is_suspended
    // What keys can no longer have is lost by keys that have it.
    this.#scopes = new Set(scopes.filter(isScope))
    this.#networks = allowed_networks.length > 0 ? new Networks(allowed_networks) : undefined
  }

  may(permission: Permission): boolean {
    return this.#scopes.has(permission)
  }

  /** Whether the key may be used from an address. */
  mayComeFrom(address: string): boolean {
    return this.#networks === undefined || this.#networks.has(address)
  }
}

/** Whether there are keys that have a permission. */
export function isScope(permission: string): permission is ApiKeyScope {
  return API_KEY_SCOPES.some((scope) => scope === permission)
}

/** Returns the context for a key's work in its organization. */
export function forApiKey<C extends { db: Database } = Context>(ctx: C, key: ApiKeyCaller): OrgContext<C> {
  return { ...ctx, db: new OrgDatabase(ctx.db, key.org) }
}
