import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Loaded } from './cache.ts'

/** The part of Redis that a shared cache needs. It may fail at any time, or forget, or remember too much. */
export interface Store {
  get(key: string): Promise<string | undefined>
  /** @param px milliseconds after which the value is gone */
  set(key: string, value: string, options: { px: number }): Promise<void>
}

export interface SharedCacheOptions {
  readonly store: Store
  /** Put before each key: the kind of value, and a number that changes with its form. */
  readonly prefix: string
  /** Milliseconds for which a value lives at most, counted from when it was read at the source. */
  readonly maxAge: number
  /** Signs what is stored: who can write to the store must not be able to say who somebody is. */
  readonly key: KeyObject
  /** The time on the clock of the source, in milliseconds since 1970: never too early. */
  readonly now: () => number
}

/** A value as it is stored. */
interface Stored<Value> {
  readonly value: Value
  readonly owner: string
  /** When it stops being believed, on the clock of the source. */
  readonly until: number
}

/** Characters of a stored value; larger ones are not kept, and what is larger in the store is not ours. */
const MAX_STORED_CHARACTERS = 65_536

/** Names of what is not believed that are kept; beyond it nothing is believed for a while. */
const MAX_DISTRUSTED = 100_000

/**
 * Values, such as JSON has, that instances keep for each other. The store is never relied upon to forget: what
 * was read before a change is believed until `maxAge` after its reading at the longest, by the source's clock.
 * So who hears of a change does not believe the store about it for that long, and who begins to hear believes
 * nothing at all for that long. Deaf, hanging, flushed or restored from yesterday, the store can only be of no
 * use.
 */
export class SharedCache<T> {
  readonly #options: SharedCacheOptions
  /** Keys and owners that are not believed, with the end of that; by `performance.now()`, oldest first. */
  readonly #distrusted = new Map<string, number>()
  #believedFrom = Number.POSITIVE_INFINITY

  constructor(options: SharedCacheOptions) {
    this.#options = options
  }

  /** Returns a value and how many milliseconds it may be kept; undefined when there is no trustworthy one. */
  async get(key: string): Promise<Omit<Loaded<T>, 'readAt'> | undefined> {
    const { store, prefix, now } = this.#options
    if (performance.now() < this.#believedFrom || this.#isDistrusted(key)) return undefined
    // The store's owner logs and counts its failures.
    const text = await store.get(prefix + key).catch(() => undefined)
    const stored = text === undefined ? undefined : this.#verify(key, text)
    if (stored === undefined) return undefined
    const lifetimeMs = stored.until - now()
    const { owner, value } = stored
    const isBelieved = lifetimeMs > 0 && !this.#isDistrusted(key) && !this.#isDistrusted(owner)
    return isBelieved && performance.now() >= this.#believedFrom ? { value, owner, lifetimeMs } : undefined
  }

  /** Keeps a value for the others, without waiting for it. */
  set(key: string, { value, owner, lifetimeMs, readAt }: Loaded<T>): void {
    const { store, prefix, maxAge } = this.#options
    const px = Math.min(lifetimeMs, maxAge)
    const stored: Stored<T> = { value, owner, until: readAt + px }
    const text = this.#sign(key, JSON.stringify(stored))
    if (text.length <= MAX_STORED_CHARACTERS) store.set(prefix + key, text, { px }).catch(() => undefined)
  }

  /** From now on nothing older is believed about a key, or about anything of an owner. */
  distrust(name: string): void {
    const now = performance.now()
    for (const [other, end] of this.#distrusted) {
      if (end > now) break
      this.#distrusted.delete(other)
    }
    if (this.#distrusted.size >= MAX_DISTRUSTED) this.distrustAll()
    // Moved to the end, because they are in the order in which they expire.
    this.#distrusted.delete(name)
    this.#distrusted.set(name, now + this.#options.maxAge)
  }

  distrustAll(): void {
    this.#distrusted.clear()
    this.#believedFrom = performance.now() + this.#options.maxAge
  }

  #isDistrusted(name: string): boolean {
    return (this.#distrusted.get(name) ?? 0) > performance.now()
  }

  #sign(key: string, json: string): string {
    return `${this.#signature(key, json).toString('base64url')}.${json}`
  }

  #verify(key: string, text: string): Stored<T> | undefined {
    if (text.length > MAX_STORED_CHARACTERS) return undefined
    const [signature = '', json = ''] = split(text)
    const [given, expected] = [Buffer.from(signature, 'base64url'), this.#signature(key, json)]
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    return JSON.parse(json)
  }

  /** With the key, so that a value can't be put under another. */
  #signature(key: string, json: string): Buffer {
    const { prefix, key: secret } = this.#options
    return createHmac('sha256', secret).update(`${prefix}${key}\n${json}`).digest()
  }
}

function split(text: string): [string, string] {
  const dot = text.indexOf('.')
  return [text.slice(0, dot), text.slice(dot + 1)]
}
