import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Stands between the service and PostgreSQL, to take the network away. */
export interface TcpProxy {
  /** The database's URL, by way of the proxy. */
  readonly url: string
  /** Breaks every connection and refuses new ones, as a server that is gone does. */
  cut(): Promise<void>
  /** Forwards nothing more, without closing anything: a server, or a network, that hangs. */
  hang(): void
  /** Forwards what the service says, and swallows the answers: packets that vanish on one way. */
  swallow(): void
  /** Holds every chunk back for so many milliseconds, each way; 0 for no longer. */
  delay(milliseconds: number): void
  /**
   * Lets the server have the next COMMITs, and breaks each connection once the server has answered, without
   * the answer: it is done, and nobody knows.
   */
  loseCommits(count: number): void
  /** How many answers to COMMIT were lost so far. */
  readonly lostCommits: number
  /** All is well again, for new connections; those that hung are broken. */
  restore(): Promise<void>
  /** New connections go to the server at this URL. */
  retarget(url: string): void
}

/** The message Query with COMMIT in it. https://www.postgresql.org/docs/18/protocol-message-formats.html */
const COMMIT = Buffer.from('Q\0\0\0\x0bCOMMIT\0')

/**
 * Starts a proxy before the database at `url`; with `open: false` it refuses connections at first.
 * With `pools` it calls itself by a number of its own, as PgBouncer does.
 */
export async function startProxy(
  t: Test,
  url: string,
  { open = true, pools = false } = {},
): Promise<TcpProxy> {
  let target = new URL(url)
  const sockets = new Set<Socket>()
  let hanging = false
  let swallowing = false
  let pause = 0
  let commitsToLose = 0
  let lostCommits = 0

  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  }
  const server = createServer((client) => {
    keep(client)
    // It is connected, and gets no answer; the server need not even be there.
    if (hanging) return
    const upstream = connect(Number(target.port), target.hostname)
    keep(upstream)
    let losesCommit = false
    client.on('data', (chunk) => {
      if (commitsToLose > 0 && chunk.includes(COMMIT)) {
        commitsToLose--
        losesCommit = true
      }
      later(() => upstream.write(chunk))
    })
    upstream.on('data', (chunk) => {
      if (losesCommit) {
        lostCommits++
        client.destroy()
      } else if (!swallowing) {
        later(() => client.write(pools ? asPooler(chunk) : chunk))
      }
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  // Timers of one length keep their order.
  const later = (write: () => void) => {
    if (pause > 0) setTimeout(write, pause)
    else write()
  }
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  async function cut(): Promise<void> {
    if (server.listening) {
      server.close()
      breakAll()
      await once(server, 'close')
    }
  }

  await listen(0)
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const proxied = new URL(url)
  proxied.host = `127.0.0.1:${port}`
  if (!open) await cut()
  t.teardown(cut)
  return {
    url: proxied.href,
    cut,
    hang() {
      hanging = true
      for (const socket of sockets) socket.pause()
    },
    swallow() {
      swallowing = true
    },
    delay(milliseconds) {
      pause = milliseconds
    },
    loseCommits(count) {
      commitsToLose = count
    },
    get lostCommits() {
      return lostCommits
    },
    async restore() {
      hanging = false
      swallowing = false
      breakAll()
      if (!server.listening) await listen(port)
    },
    retarget(next) {
      target = new URL(next)
    },
  }
}

/** Changes the number of the server's process in BackendKeyData, where that message is. */
function asPooler(chunk: Buffer): Buffer {
  const at = chunk.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
  if (at >= 0) chunk.writeInt32BE(1, at + 5)
  return chunk
}
