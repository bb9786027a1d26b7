import { MAX_POINTER_LENGTH } from '#schemas/problem.ts'

/** Characters of one name that a pointer repeats. */
const MAX_NAME_LENGTH = 64

const ELLIPSIS = '\u2026'

/** Returns a JSON Pointer (RFC 6901) to a name below another pointer; what is too long is cut. */
export function pointerTo(parent: string, name: string | number): string {
  const segment = cut(String(name), MAX_NAME_LENGTH).replaceAll('~', '~0').replaceAll('/', '~1')
  return cutPointer(`${parent}/${segment}`)
}

/** Cuts a pointer: clients choose names, and so the length of what repeats them. */
export function cutPointer(pointer: string): string {
  return cut(pointer, MAX_POINTER_LENGTH)
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text.toWellFormed()
  return text.slice(0, length - 1).toWellFormed() + ELLIPSIS
}
