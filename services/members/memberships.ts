import { Cache, type CacheOptions, type Loaded } from '#lib/cache/cache.ts'
import type { Database } from '#lib/database/database.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { Membership } from './membership.ts'
import { type MembershipRow, selectMembership, selectMemberships } from './queries.ts'

/** Memberships that are kept. */
const MAX_ENTRIES = 50_000
/** One is read again after this time in any case. */
const MAX_AGE_MS = 60_000

interface MembershipsOptions extends Pick<CacheOptions<Membership>, 'isTrusted' | 'answered'> {
  readonly db: Database
}

/**
 * Who may do what in which organization, cached like identities so that a request needs no query: changes are heard of
 * within a second, and nothing is trusted while they might not be.
 */
export class Memberships {
  readonly #cache: Cache<Membership>

  constructor({ db, ...options }: MembershipsOptions) {
    this.#cache = new Cache({
      ...options,
      maxEntries: MAX_ENTRIES,
      maxAge: MAX_AGE_MS,
      read: (key) => read(db, key),
      readMany: (keys) => readMany(db, keys),
    })
  }

  /** Returns the user's rights in the organization if they are known here and now. */
  peek(org: string, user: string): Membership | undefined {
    return this.#cache.peek(keyOf(org, user))
  }

  /** Returns the user's rights in the organization; undefined for one who has none, or where there is no such. */
  load(org: string, user: string): Promise<Membership | undefined> {
    return this.#cache.load(keyOf(org, user))
  }

  /** The same; what is asked for at the same time is read by one statement. */
  loadTogether(org: string, user: string): Promise<Membership | undefined> {
    return this.#cache.loadTogether(keyOf(org, user))
  }

  /** The same, read again even if it is known. */
  reload(org: string, user: string): Promise<Membership | undefined> {
    return this.#cache.reload(keyOf(org, user))
  }

  forget(org: string, user: string): void {
    this.#cache.forget(keyOf(org, user))
  }

  forgetOrganization(org: string): void {
    this.#cache.forgetOwner(org)
  }

  forgetAll(): void {
    this.#cache.forgetAll()
  }
}

const keyOf = (org: string, user: string): string => `${org}:${user}`

async function read(db: Database, key: string) {
  const [org = '', user = ''] = key.split(':')
  const row = await selectMembership(new OrgDatabase(db, org, user), user)
  return row && loaded(org, user, row)
}

async function readMany(db: Database, keys: readonly string[]) {
  const parts = keys.map((key) => key.split(':'))
  const rows = await selectMemberships(
    new SystemDatabase(db),
    parts.map(([org = '']) => org),
    parts.map(([, user = '']) => user),
  )
  return new Map(rows.map((row) => [keyOf(row.org_id, row.user_id), loaded(row.org_id, row.user_id, row)]))
}

function loaded(org: string, user: string, row: MembershipRow): Loaded<Membership> {
  return {
    value: new Membership({
      org,
      user,
      role: row.role,
      isDeleted: row.deleted_at !== null,
      isSuspended: row.suspended_at !== null,
    }),
    owner: org,
    lifetimeMs: MAX_AGE_MS,
    readAt: Date.parse(row.read_at),
  }
}
