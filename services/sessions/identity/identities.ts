import type { KeyObject } from 'node:crypto'
import { Cache, type CacheOptions, type Loaded } from '#lib/cache/cache.ts'
import { SharedCache, type Store } from '#lib/cache/shared-cache.ts'
import type { User } from '#schemas/users.ts'
import type { SessionOwner } from '../records.ts'

/** Sessions whose owners are kept. */
const MAX_ENTRIES = 50_000
/** An owner is read again after this time in any case. */
const MAX_AGE_MS = 60_000
/** Its number changes with the shape of `Identity`: two versions run side by side while one replaces the other. */
const SHARED_PREFIX = 'identity:3:'

/** Who a session speaks for. Times are milliseconds since 1970, by the database's clock. */
export interface Identity {
  readonly user: User
  /** When the user last proved who they are, */
  readonly authenticatedAt: number
  /** and how. */
  readonly methods: readonly string[]
  /** When this was read. */
  readonly readAt: number
  /** The admin who acts in the user's place; null for the user. */
  readonly impersonatorId: string | null
}

/** Reads the active user of an open session. */
export type OwnerReader = (sessionId: string) => Promise<SessionOwner | undefined>

export interface IdentitiesOptions extends Pick<CacheOptions<Identity>, 'isTrusted' | 'answered'> {
  readonly read: OwnerReader
  /** The same for many sessions, by their ids. */
  readonly readMany?: (sessionIds: readonly string[]) => Promise<ReadonlyMap<string, SessionOwner>>
  /** The database's time in milliseconds since 1970; asked only while the cache is trusted. */
  readonly now: () => number
  /** Where instances keep owners for each other, and the key that these are signed with. */
  readonly shared?: { readonly store: Store; readonly key: KeyObject } | undefined
}

/**
 * Identities by session, cached so that a request needs no query. The cache is only used while the channel
 * that tells of changes is known to work; otherwise the database is asked each time.
 */
export class Identities extends Cache<Identity> {
  readonly #now: () => number

  constructor({ read, readMany, now, shared, ...options }: IdentitiesOptions) {
    super({
      ...options,
      maxEntries: MAX_ENTRIES,
      maxAge: MAX_AGE_MS,
      read: async (sessionId) => {
        const owner = await read(sessionId)
        return owner && loaded(owner)
      },
      ...(readMany && {
        readMany: async (sessionIds: readonly string[]) => {
          const owners = await readMany(sessionIds)
          return new Map([...owners].map(([id, owner]) => [id, loaded(owner)]))
        },
      }),
      shared: shared && new SharedCache({ ...shared, now, prefix: SHARED_PREFIX, maxAge: MAX_AGE_MS }),
    })
    this.#now = now
  }

  /**
   * Milliseconds since the user of a session last proved who they are, by the database's clock. What is not from a
   * trusted cache has just been read.
   */
  ageOf({ authenticatedAt, readAt }: Identity): number {
    return (this.isTrusted ? this.#now() : readAt) - authenticatedAt
  }

  forgetSession(sessionId: string): void {
    this.forget(sessionId)
  }

  forgetUser(userId: string): void {
    this.forgetOwner(userId)
  }
}

function loaded({ impersonator_id, ...owner }: SessionOwner): Loaded<Identity> {
  const { user, authenticated_at, methods, expires_at, read_at } = owner
  const readAt = Date.parse(read_at)
  const authenticatedAt = Date.parse(authenticated_at)
  const value = { user, authenticatedAt, methods, readAt, impersonatorId: impersonator_id }
  return { value, owner: user.id, lifetimeMs: Date.parse(expires_at) - readAt, readAt }
}
