import { connect } from 'node:net'

/** Milliseconds. */
const TIMEOUT_MS = 5000

/**
 * Opens a connection to the host and port of a URL, and closes it.
 *
 * @throws the reason why it cannot be opened
 */
export async function reach(url: URL): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const socket = connect({ host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port })
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')))
  socket.once('error', reject)
  socket.once('connect', () => resolve())
  try {
    await promise
  } finally {
    socket.destroy()
  }
}

/**
 * Sends a request as the service does, through its proxies, and returns the status of the answer.
 *
 * @throws the reason why there is no answer
 */
export async function statusOf(url: string, options: RequestInit = {}): Promise<number> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(url, { redirect: 'manual', ...options, signal })
    await response.body?.cancel()
    return response.status
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') throw new Error('no answer in time')
    // What fetch itself says is that it failed.
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error
  }
}
