import { timingSafeEqual } from 'node:crypto'
import { Cache, type CacheOptions, type Loaded } from '#lib/cache/cache.ts'
import { createLru } from '#lib/cache/lru.ts'
import type { Database } from '#lib/database/database.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import { ApiKeyCaller } from './caller.ts'
import { type KeyName, readKey } from './key-format.ts'
import { type AcceptedKey, selectAcceptedKey, selectAcceptedKeys } from './queries.ts'

/** Keys that are kept. */
const MAX_ENTRIES = 50_000
/** One is read again after this time in any case. */
const MAX_AGE_MS = 60_000
/** Texts kept with the keys that they are, at some hundred bytes each. */
const MAX_TEXTS = 10_000

/** A text that was seen to be a key. */
interface Known extends KeyName {
  readonly place: string
  readonly digest: Buffer
}

interface CallersOptions extends Pick<CacheOptions<ApiKeyCaller>, 'isTrusted' | 'answered'> {
  readonly db: Database
}

/**
 * Who speaks by which key, cached like identities so that a request needs no query: changes are heard of within a second,
 * and nothing is trusted while they might not be. A text that never was a key costs no query, and one that is refused
 * takes no place here.
 */
export class ApiKeyCallers {
  readonly #cache: Cache<ApiKeyCaller>
  readonly #known = createLru<Known>(MAX_TEXTS)

  constructor({ db, ...options }: CallersOptions) {
    this.#cache = new Cache({
      ...options,
      maxEntries: MAX_ENTRIES,
      maxAge: MAX_AGE_MS,
      read: (place) => read(db, place),
      readMany: (places) => readMany(db, places),
    })
  }

  get isTrusted(): boolean {
    return this.#cache.isTrusted
  }

  /** Returns which key a text was seen to be before; only looks it up. */
  recognise(text: string): KeyName | undefined {
    return this.#known.get(text)
  }

  /** Returns the caller if it is known here and now; for one who will ask again, so that it is not counted twice. */
  look(text: string): ApiKeyCaller | undefined {
    const known = this.#known.get(text)
    return known && accepted(known, this.#cache.look(known.place))
  }

  /** Returns the caller if it is known here and now. */
  peek(text: string): ApiKeyCaller | undefined {
    const known = this.#known.get(text)
    return known && accepted(known, this.#cache.peek(known.place))
  }

  /** Returns the caller; undefined for a text that is not a key, and for a key that is not accepted now. */
  async load(text: string): Promise<ApiKeyCaller | undefined> {
    const known = this.#known.get(text) ?? describe(text)
    if (known === undefined) return undefined
    const caller = accepted(known, await this.#cache.load(known.place))
    if (caller === undefined) this.#known.delete(text)
    else this.#known.set(text, known)
    return caller
  }

  /** Returns who speaks by a key of that name, if that is known here: for one who has shown the key before. */
  lookAgain({ org, id }: KeyName): ApiKeyCaller | undefined {
    return this.#cache.look(placeOf(org, id))
  }

  /**
   * The same, wherever it is known; undefined when the key is not accepted any more. What is asked for at the same time is
   * read by one statement.
   */
  loadAgain({ org, id }: KeyName): Promise<ApiKeyCaller | undefined> {
    return this.#cache.loadTogether(placeOf(org, id))
  }

  /** The same, as the database has it now. */
  reload({ org, id }: KeyName): Promise<ApiKeyCaller | undefined> {
    return this.#cache.reload(placeOf(org, id))
  }

  forget(org: string, id: string): void {
    this.#cache.forget(placeOf(org, id))
  }

  forgetOrganization(org: string): void {
    this.#cache.forgetOwner(org)
  }

  forgetAll(): void {
    this.#cache.forgetAll()
  }
}

const placeOf = (org: string, id: string): string => `${org}:${id}`

function describe(text: string): Known | undefined {
  const name = readKey(text)
  return name && { ...name, place: placeOf(name.org, name.id), digest: digestToken(text) }
}

/** The caller, if the text has the secret and not only the name of its key. */
function accepted({ digest }: Known, caller: ApiKeyCaller | undefined): ApiKeyCaller | undefined {
  return caller !== undefined && timingSafeEqual(digest, caller.digest) ? caller : undefined
}

async function read(db: Database, place: string) {
  const [org = '', id = ''] = place.split(':')
  const row = await selectAcceptedKey(new OrgDatabase(db, org), id)
  return row && loaded(org, row)
}

async function readMany(db: Database, places: readonly string[]) {
  const parts = places.map((place) => place.split(':'))
  const rows = await selectAcceptedKeys(
    new SystemDatabase(db),
    parts.map(([org = '']) => org),
    parts.map(([, id = '']) => id),
  )
  return new Map(rows.map((row) => [placeOf(row.org_id, row.id), loaded(row.org_id, row)]))
}

function loaded(org: string, row: AcceptedKey): Loaded<ApiKeyCaller> {
  const readAt = Date.parse(row.read_at)
  const lifetimeMs = Date.parse(row.expires_at) - readAt
  return { value: new ApiKeyCaller(org, row), owner: org, lifetimeMs, readAt }
}
