import type { Database } from '#lib/database/database.ts'
import { intact } from '#lib/object-store/copy-object.ts'
import type { ObjectKey, ObjectStore } from '#lib/object-store/object-store.ts'
import { ObjectDamaged, ObjectMissing } from '#lib/object-store/object-store-error.ts'
import { inParallel } from '#lib/waiting/in-parallel.ts'
import { inventory, type KeptObject } from './inventory.ts'
import * as queries from './inventory-queries.ts'

// Whether the store has what the database says, and nothing else. For operators, also while the service runs.

/** Objects that are asked for at once, and those that are read at once. */
const [ASKED, READ] = [16, 4]

/** Keys that the database is asked about at once. */
const BATCH = 1000

/** A content that is not as its row says. */
export interface Fault {
  readonly key: ObjectKey
  readonly kind: 'missing' | 'damaged'
  readonly detail: string
}

export interface Verification {
  /** Contents that were looked at, and their bytes. */
  readonly objects: number
  readonly bytes: number
  readonly faults: readonly Fault[]
  /** Objects of the store that no row names. */
  readonly leftovers: readonly ObjectKey[]
}

interface Options {
  /** Whether all bytes are read, and their digests compared; otherwise sizes are. */
  readonly digests: boolean
}

/** Compares the store with the database. */
export async function verifyStore(
  db: Pick<Database, 'query'>,
  store: ObjectStore,
  { digests }: Options,
): Promise<Verification> {
  const [counts, suspects]: [{ objects: number; bytes: number }, Fault[]] = [{ objects: 0, bytes: 0 }, []]
  await inParallel(inventory(db), digests ? READ : ASKED, async (object) => {
    counts.objects++
    counts.bytes += object.size
    const fault = await faultOf(store, object, digests)
    if (fault !== undefined) suspects.push(fault)
  })
  return { ...counts, faults: await stillKept(db, suspects), leftovers: await findLeftovers(db, store) }
}

/** Returns what is wrong with an object; undefined if nothing is. */
export async function faultOf(
  store: ObjectStore,
  object: KeptObject,
  digests: boolean,
): Promise<Fault | undefined> {
  const { key, size } = object
  const found = await store.size(key)
  if (found === undefined) return { key, kind: 'missing', detail: `of ${size} bytes` }
  if (found !== size) return { key, kind: 'damaged', detail: `${found} bytes in place of ${size}` }
  if (!digests) return undefined
  try {
    for await (const _ of intact(await store.read(key), object));
    return undefined
  } catch (error) {
    if (error instanceof ObjectDamaged) return { key, kind: 'damaged', detail: error.message }
    if (error instanceof ObjectMissing) return { key, kind: 'missing', detail: `of ${size} bytes` }
    throw error
  }
}

/** The service may have removed or replaced some while they were looked for. */
async function stillKept(db: Pick<Database, 'query'>, suspects: readonly Fault[]): Promise<Fault[]> {
  const faults: Fault[] = []
  for (let n = 0; n < suspects.length; n += BATCH) {
    const batch = suspects.slice(n, n + BATCH)
    const kept = await queries.selectStillKept(
      db,
      batch.map(({ key }) => key),
    )
    faults.push(...batch.filter(({ key }) => kept.has(key)))
  }
  return faults.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/**
 * Returns the objects that no row names. A row is there before its object and goes after it, so an object without one that is
 * there at two times is nobody's; one that is gone the second time was being removed.
 */
export async function findLeftovers(db: Pick<Database, 'query'>, store: ObjectStore): Promise<ObjectKey[]> {
  const found = new Set<ObjectKey>()
  let batch: ObjectKey[] = []
  const ask = async () => {
    const named = await queries.selectNamed(db, batch)
    for (const key of batch) if (!named.has(key)) found.add(key)
    batch = []
  }
  for await (const key of store.list()) if (batch.push(key) === BATCH) await ask()
  await ask()
  if (found.size === 0) return []
  const there = new Set<ObjectKey>()
  for await (const key of store.list()) if (found.has(key)) there.add(key)
  return [...there].sort()
}
