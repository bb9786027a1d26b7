import type { KeyObject } from 'node:crypto'
import { Cache, type CacheOptions, type Loaded } from '#lib/cache/cache.ts'
import { SharedCache, type Store } from '#lib/cache/shared-cache.ts'
import type { User } from '#schemas/users.ts'

/** Sessions whose owners are kept. */
const MAX_ENTRIES = 50_000
/** An owner is read again after this time in any case. */
const MAX_AGE_MS = 60_000

/** Reads the active user of an open session, when that expires, and the database's time of reading it. */
export type OwnerReader = (
  sessionId: string,
) => Promise<{ user: User; expiresAt: string; readAt: string } | undefined>

export interface IdentitiesOptions extends Pick<CacheOptions<User>, 'isTrusted' | 'answered'> {
  readonly read: OwnerReader
  /** Where instances keep owners for each other, the key that these are signed with, and the database's time. */
  readonly shared?: { readonly store: Store; readonly key: KeyObject; readonly now: () => number } | undefined
}

/**
 * Identities by session, cached so that a request needs no query. The cache is only used while the channel
 * that tells of changes is known to work; otherwise the database is asked each time.
 */
export class Identities extends Cache<User> {
  constructor({ read, shared, ...options }: IdentitiesOptions) {
    super({
      ...options,
      maxEntries: MAX_ENTRIES,
      maxAge: MAX_AGE_MS,
      read: async (sessionId) => {
        const owner = await read(sessionId)
        return owner && loaded(owner)
      },
      shared: shared && new SharedCache({ ...shared, prefix: 'identity:1:', maxAge: MAX_AGE_MS }),
    })
  }

  forgetSession(sessionId: string): void {
    this.forget(sessionId)
  }

  forgetUser(userId: string): void {
    this.forgetOwner(userId)
  }
}

function loaded({
  user,
  expiresAt,
  readAt,
}: {
  user: User
  expiresAt: string
  readAt: string
}): Loaded<User> {
  const asked = Date.parse(readAt)
  return { value: user, owner: user.id, lifetimeMs: Date.parse(expiresAt) - asked, readAt: asked }
}
