import { createServer } from 'node:http'
import { findKey } from '#config/engine/keys.ts'
import { type Scenario, underLoad } from './scenario.ts'

const ENDPOINT = 'tracing.endpoint'
const RATIO = 'tracing.sample_ratio'

const OFF = 'traces off'
export const ON = 'traces, 1 % sampled'

export const tracing: Scenario = {
  id: 10,
  slug: 'tracing',
  title: 'GET /api/v1/users/me, without traces and with 1 % of them sampled',
  skip: findKey(ENDPOINT) ? undefined : `the service has no ${ENDPOINT}`,
  async contestants(lab) {
    const endpoint = await startSink()
    const env = { [variable(ENDPOINT)]: endpoint, [variable(RATIO)]: '0.01' }
    const off = await lab.service(OFF)
    const on = await lab.service(ON, { env })
    return [underLoad(lab, off, 'me'), underLoad(lab, on, 'me')]
  },
}

function variable(path: string): string {
  return findKey(path)?.variable ?? ''
}

/** Takes spans and forgets them; it keeps no process alive. */
async function startSink(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.end('{}'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return `http://127.0.0.1:${port}`
}
