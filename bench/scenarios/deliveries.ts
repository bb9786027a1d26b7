import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { Lab, OwnSubject } from '../environment/lab.ts'
import { send } from '../environment/subject.ts'
import type { RequestTemplate } from '../load/load.ts'
import { runOpenLoop } from '../load/open-loop.ts'
import { quantile } from '../statistics.ts'
import { textAt } from '../targets/target.ts'
import type { Figure, FigureOptions } from './scenario.ts'

export const FIRST_BYTE = 'event to first byte at its receiver, p99'
export const FIRST_BYTE_BESIDE_DEAD = 'the same, while a fifth of the endpoints are dead, p99'

/** Organizations, each with one endpoint. */
const ORGANIZATIONS = 10
/** Those of them whose endpoint takes connections and says nothing. */
const DEAD = 2
/** Events a second, all organizations together. */
const RATE = 100
/** Milliseconds after the load in which messages may still come. */
const AFTERMATH_MS = 10_000

const WEBHOOKS = {
  APP_WEBHOOKS__ALLOW_HTTP: 'true',
  APP_WEBHOOKS__ALLOW_NETWORKS: '127.0.0.0/8',
  APP_WEBHOOKS__ALLOWED_PORTS: '',
  // Secrets of endpoints are encrypted.
  APP_ENCRYPTION__KEYS: randomBytes(32).toString('base64'),
}

/** Times from an event to the first byte of its message at a healthy receiver, which is a server of this process. */
export async function measureDeliveries(lab: Lab, { quick, onWork }: FigureOptions): Promise<Figure[]> {
  const seconds = quick ? 3 : 20
  const measure = async (dead: number) => {
    const service = await lab.service('groundwork, webhooks', { users: ORGANIZATIONS, env: WEBHOOKS })
    onWork(`deliveries, ${dead} of ${ORGANIZATIONS} endpoints dead`)
    const times = await timesOf(service, dead, seconds)
    await lab.endServers()
    return quantile(times, 0.99)
  }
  return [
    { name: FIRST_BYTE, value: await measure(0), unit: 'ms' },
    { name: FIRST_BYTE_BESIDE_DEAD, value: await measure(DEAD), unit: 'ms' },
  ]
}

async function timesOf(service: OwnSubject, dead: number, seconds: number): Promise<number[]> {
  await using receiver = await startReceiver()
  await using silent = await startSilent()
  const requests: RequestTemplate[] = []
  for (const [index, { token = '' }] of service.users.entries()) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const post = (path: string, body: object) => ({
      method: 'POST',
      path,
      headers,
      body: JSON.stringify(body),
    })
    const { origin } = service.server
    const made = await send(origin, post('/api/v1/organizations', { name: `Bench ${index}` }))
    const path = `/api/v1/organizations/${textAt(JSON.parse(made), '/id')}`
    const url = `${index < dead ? silent.url : receiver.url}/${index}`
    await send(origin, post(`${path}/webhooks`, { url, event_types: ['projects.*'] }))
    requests.push(post(`${path}/projects`, { name: 'bench {n}' }))
  }
  const load = { origin: service.server.origin, requests, rate: RATE, seconds }
  const { wrong, unanswered } = await runOpenLoop({ ...load, connections: 64, patience: 5000 })
  if (wrong + unanswered > 0) throw new Error(`${wrong} writes were refused, ${unanswered} were not answered`)
  const expected = Math.floor((RATE * seconds * (ORGANIZATIONS - dead)) / ORGANIZATIONS)
  // Awaited here, for the receiver ends with this function.
  return await receiver.first(expected, AFTERMATH_MS)
}

interface Receiver extends AsyncDisposable {
  readonly url: string
  /** Waits for so many messages; returns the milliseconds that each took, from its event on. */
  first(count: number, patienceMs: number): Promise<number[]>
}

async function startReceiver(): Promise<Receiver> {
  const times: number[] = []
  const server = createServer(async (request, response) => {
    const arrived = Date.now()
    const body: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString())
    times.push(arrived - Date.parse(textAt(body, '/timestamp') ?? ''))
    response.writeHead(204).end()
  })
  const url = await listen(server)
  return {
    url,
    async first(count, patienceMs) {
      const deadline = performance.now() + patienceMs
      while (times.length < count && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 50))
      if (times.length < count) throw new Error(`${times.length} of ${count} messages came`)
      return times
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A server that takes connections and says nothing. */
async function startSilent(): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
  })
  return {
    url: await listen(server),
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function listen(server: ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on no port')
  return `http://127.0.0.1:${address.port}`
}
