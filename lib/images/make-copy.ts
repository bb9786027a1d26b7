import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { ImageRefused } from './image-error.ts'
import type { ImageOptions } from './image-options.ts'

const PROGRAM = fileURLToPath(new URL('./child.ts', import.meta.url))

/** Milliseconds that a copy may take. */
const TIMEOUT_MS = 10_000

/** Bytes of the largest copy; those of the sizes that there are have less. */
const MAX_COPY_BYTES = 8 * 1024 * 1024

/** Characters of what the process says. */
const MAX_REASON = 500

/** How a copy is made. */
interface Limits {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

/** Whether copies can be made: sharp is installed, which is optional, on a system that it is there for. */
export function canMakeCopies(): boolean {
  try {
    import.meta.resolve('sharp')
    return true
  } catch {
    return false
  }
}

/**
 * Makes a smaller copy of an image, in a process of its own that ends with it.
 *
 * @throws ImageRefused, what the signal is aborted with, and what the stream throws
 */
export async function makeCopy(
  image: Readable,
  options: ImageOptions,
  { signal, timeoutMs = TIMEOUT_MS, maxBytes = MAX_COPY_BYTES }: Limits = {},
): Promise<Buffer> {
  signal?.throwIfAborted()
  const child = spawn(process.execPath, ['--no-warnings', PROGRAM, JSON.stringify(options)], {
    // Nothing of our environment: no secret.
    env: {},
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let reason = ''
  let isStopped = false
  const stop = (why: string) => {
    isStopped = true
    reason ||= why
    child.kill('SIGKILL')
    // The image may never come to its end.
    child.stdin.destroy()
  }
  const timer = setTimeout(() => stop('it takes too long'), timeoutMs)
  const abort = () => stop('aborted')
  signal?.addEventListener('abort', abort)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    reason = (reason + text).slice(0, MAX_REASON)
  })
  const closed = once(child, 'close')
  const copy = bytesOf(child.stdout, maxBytes, () => stop('the copy is too large'))
  try {
    const sent = pipeline(image, child.stdin).then(
      () => undefined,
      (error: unknown) => (isStopped || isOfWriting(error) ? undefined : error),
    )
    // An image that hangs does not hold up what has ended.
    const failure = await Promise.race([sent, closed.then(() => undefined)])
    if (failure !== undefined) stop('the image was not read')
    const [[code], bytes] = await Promise.all([closed, copy])
    signal?.throwIfAborted()
    if (failure !== undefined) throw failure
    if (code === 0 && bytes.length > 0) return bytes
    throw new ImageRefused(reason || `the process ended with ${code ?? 'a signal'}`)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Whether the process did not take all of the image, though it was there. */
function isOfWriting(error: unknown): boolean {
  const { code, syscall } = Object(error)
  return syscall === 'write' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

async function bytesOf(stream: Readable, most: number, tooMany: () => void): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of stream) {
    size += piece.length
    if (size > most) tooMany()
    else pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
