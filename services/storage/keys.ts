import { randomBytes } from 'node:crypto'
import type { ObjectKey } from '#lib/object-store/object-store.ts'

/** Keys in a row that begin alike. */
const ALIKE = 256

let beginning = ''
let left = 0

/**
 * Makes the key of a new object, which nobody can guess. Those of a while begin with the same byte, so that the
 * objects are in one directory of a local store, and it is flushed for many of them at once (decision 112).
 */
export function newKey(): ObjectKey {
  if (left === 0) {
    beginning = randomBytes(1).toString('hex')
    left = ALIKE
  }
  left--
  return beginning + randomBytes(15).toString('hex')
}
