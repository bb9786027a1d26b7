import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { json } from 'node:stream/consumers'
import { splitListenAddress } from '#config/engine/listen-address.ts'
import { explainFailure } from '#lib/advice/explain-failure.ts'
import { type Check, type Finding, off, problem } from '../check.ts'

/** Milliseconds that the process on a port may take to say who it is. */
const TIMEOUT_MS = 3000

interface Place {
  readonly host: string
  readonly port: number
}

const check: Check = {
  name: 'port',
  reads: ['server.host', 'server.port', 'admin'],
  async run({ config: { admin, server } }) {
    const ofPanel = admin.panel && admin.address !== undefined ? [splitListenAddress(admin.address)] : []
    const places = [server, ...ofPanel].filter(({ port }) => port !== 0)
    if (places.length === 0) {
      return [off('server.port is 0: a free port is taken.', 'No port is fixed.', 'Set APP_SERVER__PORT.')]
    }
    return (await Promise.all(places.map(lookAt))).flat()
  },
}
export default check

async function lookAt({ host, port }: Place): Promise<Finding[]> {
  const listener = createServer()
  try {
    const listening = once(listener, 'listening')
    listener.listen({ host, port })
    await listening
    return []
  } catch (error) {
    if (isTaken(error) && (await isOurselves(host, port))) return []
    return [
      problem(
        `Port ${port} of ${host} cannot be listened on.`,
        'The service does not start.',
        explainFailure(error, { listening: true }).replace(/^.*\n/, ''),
      ),
    ]
  } finally {
    listener.close()
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

/** The service says what no other does: that it lives, in this form. */
async function isOurselves(host: string, port: number): Promise<boolean> {
  const own = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  try {
    // With an agent of its own: this machine is not behind a proxy.
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const request = get({ host: own, port, path: '/live', agent: new Agent(), signal })
    const [response]: IncomingMessage[] = await once(request, 'response')
    if (response === undefined) return false
    const body: unknown = await json(response)
    return response.statusCode === 200 && 'x-request-id' in response.headers && typeof body === 'object'
  } catch {
    return false
  }
}
