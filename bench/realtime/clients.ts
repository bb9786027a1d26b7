import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A client of a run, without a library, so that ten thousand of them fit beside the server. */
export interface BenchClient {
  readonly token: string
  /** Code by which it ended. */
  readonly ended: Promise<number>
  close(): void
}

/** Milliseconds by `performance.now()` at which a message came. */
type Heard = (frame: string, at: number) => void

interface ClientOptions {
  readonly url: string
  readonly token: string
  readonly channel: string
  readonly heard?: Heard | undefined
}

/** Connects, subscribes to one channel, and answers pings. */
async function openClient({ url, token, channel, heard }: ClientOptions): Promise<BenchClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const ended = once(socket, 'close').then(([code]) => Number(code))
  const subscribed = Promise.withResolvers<void>()
  const take = (frame: string, at: number) => {
    if (frame === '{}') socket.send('{}')
    else if (frame.startsWith('{"push"')) heard?.(frame, at)
    else if (frame.startsWith('{"id":2,"subscribe"')) subscribed.resolve()
    else if (frame.includes('"error"')) subscribed.reject(new Error(frame))
  }
  socket.on('message', (data) => {
    const at = performance.now()
    for (const frame of String(data).split('\n')) take(frame, at)
  })
  socket.once('error', subscribed.reject)
  socket.once('close', (code) => subscribed.reject(new Error(`closed with ${code}`)))
  // It is awaited only after the socket is open, which may fail first.
  subscribed.promise.catch(() => undefined)
  await once(socket, 'open')
  // Centrifugo takes a `token` for one that it verifies itself.
  const commands = [
    { id: 1, connect: { data: { token } } },
    { id: 2, subscribe: { channel } },
  ]
  socket.send(commands.map((command) => JSON.stringify(command)).join('\n'))
  try {
    await subscribed.promise
  } catch (error) {
    socket.terminate()
    throw error
  }
  return { token, ended, close: () => socket.terminate() }
}

/** Milliseconds before a client that found no place tries again. */
const RETRY_MS = 200
/** Clients that connect at the same time. */
const AT_ONCE = 100

/** Opens many clients, a hundred at a time. */
export async function openClients(
  count: number,
  options: (index: number) => ClientOptions,
): Promise<BenchClient[]> {
  const clients: BenchClient[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < count; index = next++) {
      for (let attempt = 0; ; attempt++) {
        try {
          clients.push(await openClient(options(index)))
          break
        } catch (error) {
          if (attempt === 10) throw error
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
        }
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return clients
}

/** Ends clients, and waits until they have. */
export async function closeClients(clients: readonly BenchClient[]): Promise<void> {
  for (const client of clients) client.close()
  await Promise.all(clients.map(({ ended }) => ended))
}
