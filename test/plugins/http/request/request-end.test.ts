import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen } from '#test/support/raw-http.ts'

t.test('responses that wait for those before them leave nothing on their connection', async (t) => {
  const { app } = await createTestApp(t)
  const connections: Socket[] = []
  app.server.on('connection', (socket: Socket) => connections.push(socket))
  const client = connect(await listen(app), '127.0.0.1')
  t.teardown(() => client.destroy())
  let received = ''
  client.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk
  })
  let asked = 0
  const ask = async (count: number) => {
    asked += count
    client.write('GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(count))
    await eventually(async () => received.split('HTTP/1.1 200').length - 1 === asked)
  }
  await ask(1)
  const [connection] = connections
  const listeners = connection?.listenerCount('close') ?? 0
  t.ok(listeners > 0)
  await ask(50)
  await eventually(async () => connection?.listenerCount('close') === listeners, 20)
  t.equal(app.requestsInFlight(), 0)
})

t.test('a request whose connection goes while it is answered ends once', async (t) => {
  const { app, logs } = await createTestApp(t, {}, async (instance) => {
    instance.get('/never', { schema: { hide: true } }, (_request, reply) => {
      reply.hijack()
      reply.raw.write('begun')
    })
  })
  const client = connect(await listen(app), '127.0.0.1')
  t.teardown(() => client.destroy())
  // The second waits for the connection, and so watches it.
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`
  client.write(ask('/live') + ask('/never'))
  for (let received = ''; !received.includes('begun'); ) received += String(await once(client, 'data'))
  t.equal(app.requestsInFlight(), 1)
  client.destroy()
  await eventually(async () => logs().some(({ path }) => path === '/never'))
  t.equal(app.requestsInFlight(), 0)
  t.match(
    logs().filter(({ path }) => path === '/never'),
    [{ status: 499 }],
  )
})
