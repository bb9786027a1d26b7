import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Stands between a client and instances of the service, and breaks connections at random places. */
export interface CuttingProxy {
  readonly url: string
  /** Connections that were broken so far. */
  readonly cuts: number
  /** Bytes that the instances were sent. */
  readonly sent: number
}

interface Cutting {
  readonly ports: readonly number[]
  /** Bytes after which a connection is broken at the latest. */
  readonly within: number
}

/** How often a connection is broken by what the client sends, and by the first byte of an answer. */
const [BY_REQUEST, BY_ANSWER] = [0.6, 0.05]

/** Starts a proxy before the instances at some ports, one of which each connection gets; it ends with `t`. */
export async function startCuttingProxy(t: Test, { ports, within }: Cutting): Promise<CuttingProxy> {
  let [cuts, sent] = [0, 0]
  const sockets = new Set<Socket>()
  const chance = (part: number) => randomInt(1000) < part * 1000

  const server = createServer((client) => {
    const upstream = connect(ports[randomInt(ports.length)] ?? 0, '127.0.0.1')
    let left = chance(BY_REQUEST) ? randomInt(within) : Number.POSITIVE_INFINITY
    const losesAnswer = chance(BY_ANSWER)
    const cut = () => {
      cuts++
      client.destroy()
      // As a network does, or as a client that is gone.
      if (chance(0.5)) upstream.resetAndDestroy()
      else upstream.end()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (chunk) => {
      const passed = chunk.subarray(0, left)
      left -= passed.length
      sent += passed.length
      if (!upstream.write(passed)) {
        client.pause()
        upstream.once('drain', () => client.resume())
      }
      if (left === 0) cut()
    })
    upstream.on('data', (chunk) => {
      if (losesAnswer) cut()
      else client.write(chunk)
    })
    client.on('close', () => upstream.end())
    upstream.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    get cuts() {
      return cuts
    },
    get sent() {
      return sent
    },
  }
}
