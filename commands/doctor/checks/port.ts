import { once } from 'node:events'
import { createServer } from 'node:net'
import { explainFailure } from '#lib/advice/explain-failure.ts'
import { type Check, off, problem } from '../check.ts'

const check: Check = {
  name: 'port',
  reads: ['server.host', 'server.port'],
  async run({ config: { server } }) {
    const { host, port } = server
    if (port === 0) {
      return [off('server.port is 0: a free port is taken.', 'No port is fixed.', 'Set APP_SERVER__PORT.')]
    }
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
  },
}
export default check

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

/** The service says what no other does: that it lives, in this form. */
async function isOurselves(host: string, port: number): Promise<boolean> {
  const own = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host)
  try {
    const response = await fetch(`http://${own}:${port}/live`, { signal: AbortSignal.timeout(3000) })
    const body: unknown = await response.json()
    return response.ok && response.headers.has('x-request-id') && typeof body === 'object'
  } catch {
    return false
  }
}
