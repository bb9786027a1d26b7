import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { Owner } from './database.ts'

/** A request that a receiver got. */
export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that receives messages, as a customer runs one. */
export interface HttpReceiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  /** Has what comes from now on answered so. */
  answer(how: (response: ServerResponse, request: Received) => void): void
}

const tlsFile = (name: string) =>
  readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8')

/** The certificate of receivers with TLS, which is valid for `localhost` and signs itself. */
export const LOCALHOST_CERTIFICATE = tlsFile('localhost-cert')

/** Starts a receiver on this machine, which answers 204 at first. */
export async function startReceiver(t: Owner, { tls = false } = {}): Promise<HttpReceiver> {
  const received: Received[] = []
  let answer = (response: ServerResponse, _request: Received): void => {
    response.writeHead(204).end()
  }
  const listener: RequestListener = async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const { method = '', url = '', headers } = incoming
    const request = { method, url, headers, body: Buffer.concat(chunks).toString() }
    received.push(request)
    answer(response, request)
  }
  const server = tls
    ? createTlsServer({ cert: LOCALHOST_CERTIFICATE, key: tlsFile('localhost-key') }, listener)
    : createServer(listener)
  const port = await listen(t, server)
  return {
    url: tls ? `https://localhost:${port}/in` : `http://127.0.0.1:${port}/in`,
    port,
    received,
    answer(how) {
      answer = how
    },
  }
}

/** Starts a server that says what it likes; returns its URL. */
export async function startRawReceiver(t: Owner, talk: (socket: Socket) => void): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createTcpServer(talk))}/in`
}

async function listen(t: Owner, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('it has no port')
  return address.port
}
