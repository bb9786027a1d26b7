import { pointerTo } from '#plugins/http/errors/pointer.ts'
import { invalidText, tooDeep } from '#plugins/http/errors/sentences.ts'
import { type InvalidValue, MAX_POINTER_LENGTH } from '#schemas/problem.ts'

/** Levels of arrays and objects that a body may have; a level takes two characters at least. */
export const MAX_DEPTH = 64

/** An array or object of a body, and where it stands. */
interface Place {
  readonly value: object
  readonly depth: number
  readonly name: string | number
  readonly parent: Place | undefined
}

/**
 * Finds what no schema can say and nothing after it could bear: text that can't be stored, names included, and
 * values that are nested too deep. Iterative, for the nesting is the client's.
 *
 * @param part where the value stands in the request, such as `body`
 */
export function findFlaw(part: string, root: unknown): InvalidValue | undefined {
  if (!isContainer(root)) return flawOf(root, () => `/${part}`)
  let tooLow: Place | undefined
  const pending: Place[] = [{ value: root, depth: 1, name: part, parent: undefined }]
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (place.depth > MAX_DEPTH) tooLow ??= place
    const flaw = searchPlace(place, pending)
    if (flaw) return flaw
  }
  return tooLow && tooDeep(topOf(tooLow), MAX_DEPTH)
}

/** Finds only what is nested too deep, for values whose text is known to be harmless. */
export function findDepth(part: string, root: unknown): InvalidValue | undefined {
  if (!isContainer(root)) return undefined
  const pending: Place[] = [{ value: root, depth: 1, name: part, parent: undefined }]
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    if (parent.depth > MAX_DEPTH) return tooDeep(topOf(parent), MAX_DEPTH)
    for (const [name, value] of Object.entries(parent.value)) {
      if (isContainer(value)) pending.push({ value, depth: parent.depth + 1, name, parent })
    }
  }
  return undefined
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Looks at the names and texts of one array or object; the arrays and objects in it are added to `pending`. */
function searchPlace(parent: Place, pending: Place[]): InvalidValue | undefined {
  for (const [name, value] of Object.entries(parent.value)) {
    const pointer = () => pointerTo(pointerOf(parent), name)
    const flaw = flawOf(name, pointer) ?? flawOf(value, pointer)
    if (flaw) return flaw
    if (isContainer(value)) pending.push({ value, depth: parent.depth + 1, name, parent })
  }
  return undefined
}

function flawOf(value: unknown, where: () => string): InvalidValue | undefined {
  if (typeof value !== 'string' || (value.isWellFormed() && !value.includes('\0'))) return undefined
  return invalidText(where())
}

function pointerOf(place: Place): string {
  const names: (string | number)[] = []
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) names.push(at.name)
  // Each takes a character at least, so that the end of a longer way is cut anyway.
  return names.reverse().slice(0, MAX_POINTER_LENGTH).reduce<string>(pointerTo, '')
}

/** Points at the outermost value that a place is in: the whole way to what is nested too deep tells nobody more. */
function topOf(place: Place): string {
  let top = place
  while (top.parent?.parent !== undefined) top = top.parent
  return pointerOf(top)
}
