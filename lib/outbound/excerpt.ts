import type { IncomingMessage } from 'node:http'

/** Bytes of an answer that are read at most, and those that are kept. */
const MAX_READ = 16 * 1024
const MAX_KEPT = 1024

/** Milliseconds that a body may take once its head is there: the answer is known, so it may not hold a place for long. */
const MAX_TIME_MS = 2000

/** Returns the beginning of an answer's body, however the body ends; null without one. Compressed bodies stay so. */
export function readExcerpt(response: IncomingMessage): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let read = 0
    const finish = () => {
      clearTimeout(timer)
      response.destroy()
      resolve(isPlain(response) ? textOf(Buffer.concat(chunks)) : null)
    }
    const timer = setTimeout(finish, MAX_TIME_MS)
    response.on('data', (chunk: Buffer) => {
      if (read < MAX_KEPT) chunks.push(chunk.subarray(0, MAX_KEPT - read))
      read += chunk.length
      if (read > MAX_READ) finish()
    })
    response.on('error', finish)
    response.once('close', finish)
  })
}

function isPlain({ headers }: IncomingMessage): boolean {
  return (headers['content-encoding'] ?? 'identity') === 'identity'
}

/** As PostgreSQL can keep it. */
function textOf(bytes: Buffer): string | null {
  return bytes.length === 0 ? null : new TextDecoder().decode(bytes).replaceAll('\0', '\uFFFD')
}
