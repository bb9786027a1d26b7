import { createHash } from 'node:crypto'
import { NOTHING } from './appending.ts'
import type { ObjectKey, ObjectStore } from './object-store.ts'
import { ObjectDamaged } from './object-store-error.ts'

/** An object as somebody has described it. */
export interface DescribedObject {
  readonly key: ObjectKey
  /** Bytes. */
  readonly size: number
  /** SHA-256 in hexadecimal. */
  readonly sha256: string
}

/**
 * Passes the bytes of an object on, and throws in place of the last of them unless they are those that were described: then
 * nothing can be made of them by mistake.
 *
 * @throws ObjectDamaged
 */
export async function* intact(
  pieces: AsyncIterable<Uint8Array>,
  { key, size, sha256 }: DescribedObject,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let found = 0
  let last: Uint8Array | undefined
  for await (const piece of pieces) {
    found += piece.length
    if (found > size) throw new ObjectDamaged(`${key} has more than its ${size} bytes.`)
    hash.update(piece)
    if (last !== undefined) yield last
    last = piece
  }
  if (found < size) throw new ObjectDamaged(`${key} has ${found} of its ${size} bytes.`)
  const digest = hash.digest('hex')
  if (digest !== sha256)
    throw new ObjectDamaged(`${key} has the SHA-256 ${digest}, and should have ${sha256}.`)
  if (last !== undefined) yield last
}

/**
 * Copies an object to another store, where it is whole and durable afterwards, or not there.
 *
 * @throws ObjectMissing, ObjectDamaged
 */
export async function copyObject(from: ObjectStore, to: ObjectStore, object: DescribedObject): Promise<void> {
  const pieces = intact(await from.read(object.key), object)
  try {
    // An object of a bucket is there when all of it has come. A file gets its name at the end if it is appended to.
    if (to.kind === 's3') await to.write(object.key, pieces, object.size)
    else await append(to, object.key, pieces)
  } catch (error) {
    await to.remove(object.key).catch(() => undefined)
    throw error
  }
}

async function append(to: ObjectStore, key: ObjectKey, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const appending = await to.resume(key, NOTHING)
  try {
    for await (const piece of pieces) await appending.write(piece)
    await appending.settle()
    await appending.finish()
  } finally {
    await appending.close()
  }
}
