import { createHash } from 'node:crypto'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One call on the stack. */
export interface Frame {
  readonly function: string
  /** Below the project where it is ours. */
  readonly file: string
  readonly line: number
  /** Whether it is our code, and no library's or Node's. */
  readonly isOwn: boolean
}

/** The kind of an error, without its message. */
export interface Fingerprinted {
  readonly type: string
  readonly code: string | undefined
  /** 16 hex digits: the same for errors of one kind from one place, in every process and after every restart. */
  readonly fingerprint: string
  /** Innermost first. */
  readonly frames: readonly Frame[]
}

/** Our own frames tell places apart; line numbers are left out, because they change with each release. */
const OWN_FRAMES = 3
/** Frames that are looked at; Node keeps ten unless told otherwise. */
const MAX_FRAMES = 50

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Tells errors apart by their type, their code, where in our code they come from, and what was being done.
 *
 * @param operation from a closed set: an operationId, or the name of a job
 */
export function fingerprint(thrown: unknown, operation: string): Fingerprinted {
  const { type, code, stack } = detailsOf(thrown)
  const frames = parseStack(stack)
  const places = frames.filter(({ isOwn }) => isOwn).slice(0, OWN_FRAMES)
  const parts = [type, code ?? '', operation, ...places.map(placeOf)]
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex')
  return { type, code, frames, fingerprint: hash.slice(0, 16) }
}

/** Where a frame is, without its line. */
export function placeOf({ function: name, file }: Frame): string {
  return `${name}@${file}`
}

function detailsOf(thrown: unknown): { type: string; code: string | undefined; stack: string } {
  if (!(thrown instanceof Error)) return { type: typeof thrown, code: undefined, stack: '' }
  const type = thrown.constructor.name || thrown.name
  const stack = (thrown.stack ?? '').replace(thrown.message, () => '')
  return { type, code: codeOf(thrown), stack }
}

/** Ours stand in the definition; those of Node and of drivers on the error. */
function codeOf(error: Error): string | undefined {
  if ('definition' in error && typeof error.definition === 'object' && error.definition !== null) {
    return 'code' in error.definition ? String(error.definition.code) : undefined
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** V8's lines: `at name (file:line:column)` or `at file:line:column`. */
function parseStack(stack: string): Frame[] {
  return stack.split('\n').slice(0, MAX_FRAMES).flatMap(parseLine)
}

function parseLine(text: string): Frame[] {
  const match = /^\s+at (?:(.+?) \()?(?:file:\/\/)?([^()]+?):(\d+):\d+\)?$/.exec(text)
  if (!match) return []
  const [, name = '<anonymous>', path = '', line] = match
  const inside = path.startsWith(ROOT)
  return [
    {
      // `async` and the index of Promise.all depend on who waited.
      function: name.replace(/^async /, '').slice(0, 200),
      file: inside ? relative(ROOT, path).split(sep).join('/') : outside(path),
      line: Number(line),
      isOwn: inside && !path.includes(`${sep}node_modules${sep}`),
    },
  ]
}

/** No path of the machine. */
function outside(path: string): string {
  const [, inModules] = /node_modules\/(.+)$/.exec(path) ?? []
  if (inModules !== undefined) return `node_modules/${inModules}`
  return path.startsWith('node:') ? path : (path.split(/[\\/]/).at(-1) ?? '')
}
