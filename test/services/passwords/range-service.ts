import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { Test } from 'tap'

/** A range service on loopback that answers as a test wants. */
export interface RangeService {
  url: string
  /** Received requests, oldest first. */
  requests: { url: string | undefined; headers: IncomingHttpHeaders }[]
}

/** Starts one; it ends with `t`. */
export async function startRangeService(t: Test, answer: RequestListener): Promise<RangeService> {
  const requests: RangeService['requests'] = []
  const server = createServer((request, response) => {
    requests.push({ url: request.url, headers: request.headers })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  return { url: `http://127.0.0.1:${address.port}/range`, requests }
}
