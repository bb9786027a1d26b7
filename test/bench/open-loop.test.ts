import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { parseHead } from '#bench/load/connection.ts'
import { runOpenLoop } from '#bench/load/open-loop.ts'

async function serve(t: Test, answer: (count: number) => { status: number; retryAfter?: boolean }) {
  let count = 0
  const bodies: string[] = []
  // A busy machine may not get to a connection for seconds.
  const server = createServer({ keepAliveTimeout: 0 }, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    const { status, retryAfter = false } = answer(count++)
    response.writeHead(status, { 'content-length': 5, ...(retryAfter ? { 'retry-after': '2' } : {}) })
    response.end('x'.repeat(5))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return { origin: `http://127.0.0.1:${port}`, bodies }
}

t.test('every request is counted once, by what became of it', async (t) => {
  const { origin, bodies } = await serve(t, (count) => {
    if (count % 4 === 1) return { status: 503, retryAfter: true }
    if (count % 4 === 2) return { status: 429 }
    return { status: count % 4 === 3 ? 500 : 200 }
  })
  const requests = [{ method: 'POST', path: '/', headers: { 'x-a': 'b' }, body: '{"n":"{n}"}' }]
  // Nobody is late on a machine however slow.
  const load = { origin, requests, rate: 200, seconds: 0.2, connections: 50, patience: 1e9 }
  t.match(await runOpenLoop(load), {
    offered: 200,
    goodput: 50,
    late: 0,
    refused: 100,
    refusedBluntly: 50,
    wrong: 50,
    unanswered: 0,
  })
  t.equal(new Set(bodies).size, 40, 'each has a number of its own')
})

t.test('a server that is slower than the load leaves requests unanswered', async (t) => {
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const requests = [{ method: 'GET', path: '/', headers: {} }]
  const origin = `http://127.0.0.1:${port}`
  const result = await runOpenLoop({
    origin,
    requests,
    rate: 100,
    seconds: 0.1,
    connections: 3,
    patience: 100,
  })
  t.match(result, { goodput: 0, unanswered: 100 })
})

t.test('heads of answers', async (t) => {
  t.same(parseHead('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 12'), {
    status: 503,
    length: 12,
    retryAfter: true,
  })
  t.match(parseHead('HTTP/1.1 204 No Content'), { status: 204, length: 0, retryAfter: false })
  t.throws(() => parseHead('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked'), /no length/)
})
