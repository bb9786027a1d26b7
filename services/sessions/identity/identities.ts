import type { KeyObject } from 'node:crypto'
import { Cache, type CacheOptions, type Loaded } from '#lib/cache/cache.ts'
import { SharedCache, type Store } from '#lib/cache/shared-cache.ts'
import type { User } from '#schemas/users.ts'

/** Sessions whose owners are kept. */
const MAX_ENTRIES = 50_000
/** Milliseconds after which an owner is read again in any case. */
const MAX_AGE = 60_000

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
export class Identities {
  readonly #cache: Cache<User>

  constructor({ read, shared, ...options }: IdentitiesOptions) {
    this.#cache = new Cache({
      ...options,
      maxEntries: MAX_ENTRIES,
      maxAge: MAX_AGE,
      read: async (sessionId) => {
        const owner = await read(sessionId)
        return owner && loaded(owner)
      },
      shared: shared && new SharedCache({ ...shared, prefix: 'identity:1:', maxAge: MAX_AGE }),
    })
  }

  /** Whether what is kept is believed now; otherwise each question is one to the database. */
  get isTrusted(): boolean {
    return this.#cache.isTrusted
  }

  /** As `peek`, for a caller who will ask again: it is not counted. */
  look(sessionId: string): User | undefined {
    return this.#cache.look(sessionId)
  }

  /** Returns the user of a session if it is known here and now. */
  peek(sessionId: string): User | undefined {
    return this.#cache.peek(sessionId)
  }

  /** Finds out who the user of a session is. */
  load(sessionId: string): Promise<User | undefined> {
    return this.#cache.load(sessionId)
  }

  /** Asks the database who the user of a session is, whatever is kept. */
  reload(sessionId: string): Promise<User | undefined> {
    return this.#cache.reload(sessionId)
  }

  forgetSession(sessionId: string): void {
    this.#cache.forget(sessionId)
  }

  forgetUser(userId: string): void {
    this.#cache.forgetOwner(userId)
  }

  forgetAll(): void {
    this.#cache.forgetAll()
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
  return { value: user, owner: user.id, lifetime: Date.parse(expiresAt) - asked, readAt: asked }
}
