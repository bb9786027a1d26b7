import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { call } from '#test/support/http.ts'

/** Milliseconds between two looks at an instance's /ready, and those that a look may take. */
const INTERVAL = 100
const PROBE_TIMEOUT = 2000

/** Milliseconds for which a connection to an instance is kept without a request; less than the instance's own. */
const IDLE = 10_000

/** The header that tells a client that the answer is the load balancer's own, and why. */
export const BROKEN = 'x-load-balancer-error'

/** A load balancer as one that is set up by docs/operations/network.md. */
export interface LoadBalancer {
  readonly url: string
  /** Sends requests to this instance too, once it is ready. */
  add(instance: string): void
  /** Forgets an instance, and the connections to it. */
  remove(instance: string): void
  /** The instances that get requests. */
  ready(): string[]
}

interface Backend {
  readonly url: string
  readonly agent: Agent
  isReady: boolean
  isRemoved: boolean
}

/**
 * Starts a reverse proxy that follows each instance's /ready and keeps connections to those that are. What it
 * has begun to send it never sends again; only where nobody listens it goes on to the next, as nginx does.
 */
export async function startLoadBalancer(t: Test, instances: readonly string[]): Promise<LoadBalancer> {
  const backends = new Map<string, Backend>()
  let turn = 0

  function inTurn(): Backend[] {
    const ready = [...backends.values()].filter(({ isReady }) => isReady)
    const start = turn++ % Math.max(ready.length, 1)
    return [...ready.slice(start), ...ready.slice(0, start)]
  }
  function add(url: string): void {
    const agent = new Agent({ keepAlive: true, timeout: IDLE })
    const backend = { url, agent, isReady: false, isRemoved: false }
    backends.set(url, backend)
    void follow(backend)
  }
  function remove(url: string): void {
    const backend = backends.get(url)
    if (backend === undefined) return
    backend.isRemoved = true
    backend.agent.destroy()
    backends.delete(url)
  }

  const server = createServer((incoming, outgoing) => forward(incoming, outgoing, inTurn()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  for (const instance of instances) add(instance)
  t.teardown(async () => {
    for (const url of [...backends.keys()]) remove(url)
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return {
    url: `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    add,
    remove,
    ready: () => [...backends.values()].filter(({ isReady }) => isReady).map(({ url }) => url),
  }
}

/** Asks an instance again and again whether it takes requests. */
async function follow(backend: Backend): Promise<void> {
  while (!backend.isRemoved) {
    const answer = await call(`${backend.url}/ready`, { timeout: PROBE_TIMEOUT }).catch(() => undefined)
    backend.isReady = answer?.status === 200
    await new Promise((resolve) => setTimeout(resolve, INTERVAL))
  }
}

/** Sends a request on to the first of these instances that takes a connection. */
function forward(incoming: IncomingMessage, outgoing: ServerResponse, backends: readonly Backend[]): void {
  const [backend, ...others] = backends
  if (backend === undefined) {
    fail(outgoing, 'no instance is ready')
    return
  }
  const { connection: _, ...headers } = incoming.headers
  const { method } = incoming
  const upstream = request(`${backend.url}${incoming.url}`, { method, headers, agent: backend.agent })
  upstream.on('response', (response) => {
    const { connection, 'keep-alive': __, ...fields } = response.headers
    outgoing.writeHead(response.statusCode ?? 0, fields)
    response.pipe(outgoing)
    response.on('error', () => outgoing.destroy())
  })
  upstream.on('error', (error: NodeJS.ErrnoException) => {
    // Not one byte was sent, so any request may go elsewhere.
    if (error.code === 'ECONNREFUSED') forward(incoming, outgoing, others)
    else if (outgoing.headersSent) outgoing.destroy()
    else fail(outgoing, `${error.code ?? error.message} of ${backend.url}, reused: ${upstream.reusedSocket}`)
  })
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) upstream.destroy()
  })
  // The body waits for the connection, so that it is still whole for the next instance.
  upstream.on('socket', (socket) => {
    if (socket.connecting) socket.once('connect', () => incoming.pipe(upstream))
    else incoming.pipe(upstream)
  })
}

function fail(outgoing: ServerResponse, why: string): void {
  outgoing.writeHead(502, { [BROKEN]: why }).end()
}
