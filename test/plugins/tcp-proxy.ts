import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A way to a server that can be broken and mended. */
export interface TcpProxy {
  /** The server's URL with the proxy's address. */
  readonly url: string
  /** Refuses connections and ends those that there are. */
  close(): Promise<void>
  /** Forwards connections, on the same port as ever. */
  open(): Promise<void>
  /** Lets nothing through any more, but keeps connections: a server that hangs. */
  hang(): void
}

/** Puts a proxy before the server of a URL; it begins closed. Ends with `t`. */
export async function createTcpProxy(t: Test, target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let hangs = false
  let server: Server | undefined
  let ownPort = 0

  function track(socket: Socket): Socket {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    return socket
  }

  function forward(client: Socket): void {
    track(client)
    if (hangs) return
    const upstream = track(connect(Number(port), hostname))
    client.pipe(upstream).pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  }

  async function open(): Promise<void> {
    hangs = false
    if (server) return
    server = createServer(forward).listen(ownPort, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address !== null && typeof address === 'object') ownPort = address.port
  }

  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    const closing = server
    server = undefined
    if (!closing) return
    closing.close()
    await once(closing, 'close')
  }

  function hang(): void {
    hangs = true
    for (const socket of sockets) socket.unpipe().pause()
  }

  // Takes a port that is free.
  await open()
  await close()
  t.teardown(close)
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(ownPort)
  return { url: url.href, close, open, hang }
}
