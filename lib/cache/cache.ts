import type { LRUCache } from 'lru-cache'
import { createLru } from './lru.ts'
import { type ManyReader, readTogether } from './together.ts'

/** A value as read at the source of truth. */
export interface Loaded<T> {
  readonly value: T
  /** An owner whose change also invalidates the value; `forgetOwner` names it. */
  readonly owner: string
  /** Milliseconds for which it may be kept at most. */
  readonly lifetimeMs: number
  /** When it was read, on the clock of the source: milliseconds since 1970, not later than the reading began. */
  readonly readAt: number
}

/** A cache that several instances share, as a local one uses it. */
export interface Shared<T> {
  get(key: string): Promise<Omit<Loaded<T>, 'readAt'> | undefined>
  set(key: string, loaded: Loaded<T>): void
  distrust(name: string): void
  distrustAll(): void
}

/** Where an answer came from. */
export type CacheResult = 'memory' | 'shared' | 'miss'

export interface CacheOptions<T> {
  readonly maxEntries: number
  /** Milliseconds after which a value is read again in any case. */
  readonly maxAge: number
  /** Reads at the source of truth; undefined, which is never kept, when there is nothing. */
  readonly read: (key: string) => Promise<Loaded<T> | undefined>
  /** The same for many at once, for callers that ask for many. */
  readonly readMany?: ManyReader<Loaded<T>>
  /** Whether every change older than a second has arrived; otherwise no cached value is trusted. */
  readonly isTrusted: () => boolean
  /** Keeps values for all instances. */
  readonly shared?: Shared<T> | undefined
  /** Is told of each answer. */
  readonly answered: (result: CacheResult) => void
}

interface Entry<T> {
  readonly value: T
  readonly owner: string
}

/** Share of its life by which a value may die earlier, so that those read together are not missed together. */
const JITTER = 0.1

/**
 * Keeps what is asked at every request: in memory, behind that for all instances where there is a Redis, and at
 * last at the source. It is told what to forget, and believes nothing while it might not be told.
 */
export class Cache<T> {
  readonly #options: CacheOptions<T>
  readonly #entries: LRUCache<string, Entry<T>>
  /** The keys that are kept of each owner. */
  readonly #owned = new Map<string, Set<string>>()
  /** Readings under way that nothing was forgotten of since they began. */
  readonly #loading = new Map<string, Promise<T | undefined>>()
  readonly #readTogether: CacheOptions<T>['read']
  /** Counts what was forgotten, so that an answer that is older than that is not kept. */
  #forgotten = 0

  constructor(options: CacheOptions<T>) {
    this.#options = options
    this.#readTogether = options.readMany ? readTogether(options.readMany) : options.read
    this.#entries = createLru(options.maxEntries, {
      ttl: options.maxAge,
      dispose: ({ owner }, key) => this.#disown(owner, key),
    })
  }

  /** Whether what is kept is believed now. */
  get isTrusted(): boolean {
    return this.#options.isTrusted()
  }

  /** Returns a value if it is known here and now. */
  peek(key: string): T | undefined {
    const value = this.look(key)
    if (value !== undefined) this.#options.answered('memory')
    return value
  }

  /** The same for a caller who will ask again, so that it is not counted twice. */
  look(key: string): T | undefined {
    return this.isTrusted ? this.#entries.get(key)?.value : undefined
  }

  /** Returns a value, wherever it is; concurrent callers share one read. */
  load(key: string): Promise<T | undefined> {
    return this.#join(key, this.#options.read)
  }

  /** The same; what is asked for at the same time is read by one statement. */
  loadTogether(key: string): Promise<T | undefined> {
    return this.#join(key, this.#readTogether)
  }

  /** Reads a value again, even if it is cached. */
  reload(key: string): Promise<T | undefined> {
    return this.#read(key, this.#options.read)
  }

  forget(key: string): void {
    this.#startForgetting()
    this.#options.shared?.distrust(key)
    this.#entries.delete(key)
  }

  /** Forgets everything that was read of an owner. */
  forgetOwner(owner: string): void {
    this.#startForgetting()
    this.#options.shared?.distrust(owner)
    for (const key of this.#owned.get(owner) ?? []) this.#entries.delete(key)
  }

  forgetAll(): void {
    this.#startForgetting()
    this.#options.shared?.distrustAll()
    this.#entries.clear()
  }

  async #join(key: string, read: CacheOptions<T>['read']): Promise<T | undefined> {
    // A reading that began before a change could be joined after it, if nobody tells of the change.
    if (!this.isTrusted) return this.#load(key, read)
    const loading = this.#loading.get(key) ?? this.#load(key, read)
    this.#loading.set(key, loading)
    try {
      return await loading
    } finally {
      if (this.#loading.get(key) === loading) this.#loading.delete(key)
    }
  }

  /** Reads in progress may be older than the announced change. */
  #startForgetting(): void {
    this.#forgotten++
    this.#loading.clear()
  }

  async #load(key: string, read: CacheOptions<T>['read']): Promise<T | undefined> {
    const { shared, answered } = this.#options
    const mayKeep = this.#watch()
    if (shared === undefined || !mayKeep()) return this.#read(key, read)
    const found = await shared.get(key)
    if (found === undefined || !mayKeep()) return this.#read(key, read)
    answered('shared')
    this.#keep(key, found)
    return found.value
  }

  async #read(key: string, read: CacheOptions<T>['read']): Promise<T | undefined> {
    const { shared, answered, maxAge } = this.#options
    const mayKeep = this.#watch()
    answered('miss')
    const loaded = await read(key)
    if (loaded === undefined) return undefined
    const lifetimeMs = Math.min(maxAge * (1 - JITTER * Math.random()), loaded.lifetimeMs)
    if (mayKeep() && lifetimeMs > 0) {
      this.#keep(key, { ...loaded, lifetimeMs })
      shared?.set(key, { ...loaded, lifetimeMs })
    }
    return loaded.value
  }

  /** Whether what is found from now on may be kept: nothing was forgotten since, and nothing unheard. */
  #watch(): () => boolean {
    const before = this.#forgotten
    return () => this.#forgotten === before && this.isTrusted
  }

  #keep(key: string, { value, owner, lifetimeMs }: Omit<Loaded<T>, 'readAt'>): void {
    this.#entries.set(key, { value, owner }, { ttl: lifetimeMs })
    const keys = this.#owned.get(owner) ?? new Set()
    this.#owned.set(owner, keys.add(key))
  }

  #disown(owner: string, key: string): void {
    const keys = this.#owned.get(owner)
    keys?.delete(key)
    if (keys?.size === 0) this.#owned.delete(owner)
  }
}
