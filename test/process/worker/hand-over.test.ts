import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { handOver, redirectTime } from '#process/worker/hand-over.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { startInstance } from '#test/support/instances.ts'

const HOUR_MS = 3_600_000

t.test('the time to connect again', async (t) => {
  t.equal(redirectTime({ drain_delay: 0, shutdown_timeout: 30_000 }), 1000, 'a second at least')
  t.equal(redirectTime({ drain_delay: 5000, shutdown_timeout: 30_000 }), 5000)
  t.equal(redirectTime({ drain_delay: 20_000, shutdown_timeout: 30_000 }), 15_000, 'half of the end at most')
})

t.test('it ends when the last client has gone, and does not cut off any', async (t) => {
  const app = await startInstance(t, await createTestDatabase(t))
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  const client = connect(port, '127.0.0.1').setEncoding('utf8')
  t.teardown(() => client.destroy())
  await once(app.server, 'connection')
  let hasEnded = false
  const over = handOver(app, { drain_delay: HOUR_MS, shutdown_timeout: 3 * HOUR_MS }).then(() => {
    hasEnded = true
  })
  const late = connect(port, '127.0.0.1')
  const [refusal] = await once(late, 'error')
  t.match(refusal, { code: 'ECONNREFUSED' }, 'no new ones')
  t.notOk(hasEnded)
  client.write('GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [answer] = await once(client, 'data')
  t.match(answer, /^HTTP\/1\.1 200 /)
  t.match(answer, /\r\nconnection: close\r\n/i)
  await over
  t.equal((await app.inject('/ready')).statusCode, 200, 'another one serves, and this one is not draining')
})

t.test('clients that stay do not hold it up', async (t) => {
  const app = await startInstance(t, await createTestDatabase(t))
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  const client = connect(port, '127.0.0.1')
  t.teardown(() => client.destroy())
  await once(app.server, 'connection')
  await handOver(app, { drain_delay: HOUR_MS, shutdown_timeout: 2 })
  t.equal(app.connections.size, 1)
})
