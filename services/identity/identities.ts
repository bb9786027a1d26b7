import { LRUCache } from 'lru-cache'
import type { User } from '../../schemas/users.ts'

/** Sessions whose owners are kept. */
const MAX_ENTRIES = 50_000
/** Milliseconds after which an owner is read again in any case. */
const MAX_AGE = 60_000

/** Reads the active user of an open session, and the milliseconds until that expires, by the database's clock. */
export type OwnerReader = (sessionId: string) => Promise<{ user: User; remaining: number } | undefined>

/**
 * Who may pass, by session, kept in memory so that a request needs no query. What is kept is only used while
 * the channel that tells of changes is known to work; otherwise the database is asked each time.
 */
export class Identities {
  readonly #read: OwnerReader
  readonly #isTrusted: () => boolean
  readonly #users = new LRUCache<string, User>({
    max: MAX_ENTRIES,
    ttl: MAX_AGE,
    dispose: (user, sessionId) => this.#unlink(user.id, sessionId),
  })
  /** The sessions that are kept of each user. */
  readonly #sessions = new Map<string, Set<string>>()
  /** Counts what was forgotten, so that an answer that is older than that is not kept. */
  #forgotten = 0

  /** @param isTrusted whether every change that is older than a second has been heard of */
  constructor(read: OwnerReader, isTrusted: () => boolean) {
    this.#read = read
    this.#isTrusted = isTrusted
  }

  /** Gives the user of a session if it is known here and now. */
  peek(sessionId: string): User | undefined {
    return this.#isTrusted() ? this.#users.get(sessionId) : undefined
  }

  /** Reads the user of a session from the database. */
  async load(sessionId: string): Promise<User | undefined> {
    const before = this.#forgotten
    const owner = await this.#read(sessionId)
    if (!owner) return undefined
    const ttl = Math.min(MAX_AGE, owner.remaining)
    if (this.#forgotten === before && this.#isTrusted() && ttl > 0) this.#keep(sessionId, owner.user, ttl)
    return owner.user
  }

  forgetSession(sessionId: string): void {
    this.#forgotten++
    this.#users.delete(sessionId)
  }

  forgetUser(userId: string): void {
    this.#forgotten++
    for (const sessionId of this.#sessions.get(userId) ?? []) this.#users.delete(sessionId)
  }

  forgetAll(): void {
    this.#forgotten++
    this.#users.clear()
  }

  #keep(sessionId: string, user: User, ttl: number): void {
    this.#users.set(sessionId, user, { ttl })
    const sessions = this.#sessions.get(user.id) ?? new Set()
    this.#sessions.set(user.id, sessions.add(sessionId))
  }

  #unlink(userId: string, sessionId: string): void {
    const sessions = this.#sessions.get(userId)
    sessions?.delete(sessionId)
    if (sessions?.size === 0) this.#sessions.delete(userId)
  }
}
