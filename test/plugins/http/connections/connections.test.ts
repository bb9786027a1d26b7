import { once } from 'node:events'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen, open } from '#test/support/raw-http.ts'

t.test('the last exchange of each connection', async (t) => {
  const { app } = await createTestApp(t)
  const port = await listen(app)
  t.afterEach(() => eventually(async () => app.connections.size === 0))

  t.test('one that waits for its next request holds nothing of the last one', async (t) => {
    const socket = open(t, port)
    for (let request = 0; request < 2; request++) {
      socket.write('GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      await once(socket, 'data')
      await eventually(async () => [...app.connections.values()][0] === undefined)
    }
    t.equal(app.connections.size, 1, 'it is still known')
  })

  t.test('an answer to a request that has not arrived as a whole does not end it', async (t) => {
    const socket = open(t, port)
    const head =
      'POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2'
    socket.write(`${head}\r\n\r\n{`)
    await once(socket, 'data')
    t.match([...app.connections.values()], [{ request: { complete: false } }])
  })
})
