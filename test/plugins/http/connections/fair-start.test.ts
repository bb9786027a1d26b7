import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { listen, open } from '#test/support/raw-http.ts'

const CLIENTS = 20

/**
 * Connects all clients at once, each with a request, while so many milliseconds go by. Returns how many connections there
 * were at each request.
 */
async function connectAtOnce(t: Test, { elapsed }: { elapsed: () => number }): Promise<number[]> {
  const { app } = await createTestApp(t)
  const port = await listen(app)
  const start = performance.now()
  t.intercept(performance, 'now', { value: () => start + elapsed() })
  const seen: number[] = []
  app.server.prependListener('request', () => seen.push(app.connections.size))
  const sockets = Array.from({ length: CLIENTS }, () => open(t, port))
  for (const socket of sockets) socket.write('GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await Promise.all(sockets.map((socket) => once(socket, 'data')))
  return seen
}

t.test('no request is served before all who connect at once are there', async (t) => {
  t.same(await connectAtOnce(t, { elapsed: () => 0 }), Array(CLIENTS).fill(CLIENTS))
})

t.test('nobody waits for long for those who still come', async (t) => {
  let calls = 0
  const [first = CLIENTS, ...others] = await connectAtOnce(t, { elapsed: () => calls++ * 30 })
  t.ok(first < CLIENTS, `the first when ${first} were there`)
  t.equal(others.length, CLIENTS - 1)
})

t.test('later on each is served in its turn', async (t) => {
  const [first = CLIENTS, ...others] = await connectAtOnce(t, { elapsed: () => 6000 })
  t.ok(first < CLIENTS, `the first when ${first} were there`)
  t.equal(others.length, CLIENTS - 1)
})
