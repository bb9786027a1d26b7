import { copyObject, intact } from '#lib/object-store/copy-object.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { ObjectDamaged, ObjectMissing } from '#lib/object-store/object-store-error.ts'
import { inParallel } from '#lib/waiting/in-parallel.ts'
import type { StoredContent } from './inventory.ts'

/** Objects that are looked at or copied at once. */
const AT_ONCE = 8

/** A content that is not where it should be. */
export interface Fault {
  readonly key: string
  /** In a few words. */
  readonly what: string
}

/** The result of bringing contents to a place. */
export interface Brought {
  /** Those that are there now. */
  objects: number
  bytes: number
  /** How many of them were copied; the others were there before. */
  copied: number
  readonly faults: Fault[]
}

/**
 * Has each of these contents be in `to`. A content never changes, so one that is there in its whole length stays as it is.
 *
 * @param options.from where they are copied from
 * @param options.digests whether one stays only when its digest is right, too
 */
export async function bringAll(
  contents: AsyncIterable<StoredContent>,
  { from, to, digests = false }: { from: ObjectStore; to: ObjectStore; digests?: boolean },
): Promise<Brought> {
  const brought: Brought = { objects: 0, bytes: 0, copied: 0, faults: [] }
  await inParallel(contents, AT_ONCE, async (content) => {
    const { key, size } = content
    try {
      if (!(await has(to, content, digests))) {
        await copyObject(from, to, content)
        brought.copied++
      }
      brought.objects++
      brought.bytes += size
    } catch (error) {
      // The others may be well.
      if (!(error instanceof ObjectMissing || error instanceof ObjectDamaged)) throw error
      brought.faults.push({ key, what: error.message })
    }
  })
  return brought
}

async function has(store: ObjectStore, content: StoredContent, digests: boolean): Promise<boolean> {
  if ((await store.size(content.key)) !== content.size) return false
  if (!digests) return true
  try {
    for await (const _ of intact(await store.read(content.key), content));
    return true
  } catch (error) {
    if (error instanceof ObjectDamaged) return false
    throw error
  }
}
