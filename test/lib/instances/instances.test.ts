// Among the first, because it takes long.

import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startInstance } from '#test/support/instances.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

/** Waits until an instance has heard of who lives: of its second heartbeat from now on, it has read the first. */
async function beats(db: TestDatabase, { instances }: FastifyInstance): Promise<void> {
  const seen = new Set<number | undefined>()
  await eventually(async () => {
    const [row] = await db.query<{ seen: Date }>('SELECT seen_at AS seen FROM instances WHERE id = $1', [
      instances.ownId,
    ])
    return seen.add(row?.seen.getTime()).size > 2
  })
}

t.test('instances', async (t) => {
  t.test('know of each other from the start, and of an orderly end at the next beat', async (t) => {
    const db = await createTestDatabase(t)
    const first = await startInstance(t, db)
    t.equal(first.instances.known, 1)
    const second = await startInstance(t, db)
    t.equal(second.instances.known, 2)
    await eventually(async () => first.instances.known === 2)
    t.match(await first.metrics.getSingleMetricAsString('instances_known'), /^instances_known 2$/m)
    const serving = (await first.instances.list()).map(({ id }) => id)
    t.strictSame(serving, [first.instances.ownId, second.instances.ownId], 'the oldest first')
    await second.close()
    t.equal((await db.query('SELECT FROM instances')).length, 1)
    await eventually(async () => first.instances.known === 1)
  })

  t.test('one that is not heard of is gone after three beats, and forgotten in the end', async (t) => {
    const db = await createTestDatabase(t)
    const app = await startInstance(t, db)
    await db.query(`INSERT INTO instances VALUES
      (gen_random_uuid(), '0.1.0', now(), now()),
      (gen_random_uuid(), '0.1.0', now(), now() - interval '7 seconds'),
      (gen_random_uuid(), '0.1.0', now(), now() - interval '2 hours')`)
    await eventually(async () => {
      await db.query(`UPDATE instances SET seen_at = now() WHERE seen_at > now() - interval '6 seconds'`)
      return app.instances.known === 2
    })
    await eventually(async () => app.instances.known === 1)
    t.equal((await db.query('SELECT FROM instances')).length, 3, 'the old one is deleted')
  })

  t.test('workers are not counted, and do not count', async (t) => {
    const db = await createTestDatabase(t)
    const worker = await startInstance(t, db, { APP_ROLE: 'worker' })
    t.equal(worker.instances.known, 1)
    t.strictSame(await db.query('SELECT FROM instances'), [])
    t.equal(worker.metrics.getSingleMetric('instances_known'), undefined)
  })

  t.test('the last known number holds while the database is away', async (t) => {
    const db = await createTestDatabase(t)
    const proxy = await startProxy(t, db.url)
    await startInstance(t, db)
    const app = await startInstance(t, { url: proxy.url }, { APP_DATABASE__CONNECTION_TIMEOUT: '1s' })
    t.equal(app.instances.known, 2)
    await proxy.cut()
    await eventually(async () => (await app.inject('/ready')).statusCode === 503)
    t.equal(app.instances.known, 2)
    await proxy.restore()
    await eventually(async () => (await app.inject('/ready')).statusCode === 200)
    t.equal(app.instances.known, 2)
  })

  t.test('the first that is back after an outage does not count itself alone', async (t) => {
    const db = await createTestDatabase(t)
    const network = await startProxy(t, db.url)
    const others = await startProxy(t, db.url)
    const env = { APP_DATABASE__CONNECTION_TIMEOUT: '1s', APP_DATABASE__QUERY_TIMEOUT: '3s' }
    const app = await startInstance(t, { url: network.url }, env)
    const other = await startInstance(t, { url: others.url }, env)
    const dead = await startInstance(t, { url: others.url }, env)
    await eventually(async () => [app, other, dead].every(({ instances }) => instances.known === 3))
    await Promise.all([network.cut(), others.cut()])
    // As after an outage of a minute.
    await db.query(`UPDATE instances SET seen_at = seen_at - interval '1 minute'`)
    await network.restore()
    await beats(db, app)
    t.equal(app.instances.known, 3, 'the others are not back yet')
    await dead.close()
    await others.restore()
    await beats(db, other)
    t.equal(other.instances.known, 3)
    await eventually(async () => app.instances.known === 2 && other.instances.known === 2)
    t.pass('one that does not come back is gone')
    await other.close()
    await eventually(async () => app.instances.known === 1)
  })

  t.test('nor does the first after a crash of the server, which empties the table', async (t) => {
    const db = await createTestDatabase(t)
    const away = await startProxy(t, db.url)
    const app = await startInstance(t, db)
    await startInstance(t, { url: away.url })
    await eventually(async () => app.instances.known === 2)
    await away.cut()
    await db.query('TRUNCATE instances')
    await beats(db, app)
    t.equal(app.instances.known, 2)
    t.equal((await db.query('SELECT FROM instances')).length, 1, 'the other is not back yet')
  })

  t.test('an instance whose row is gone writes it again; a missing table is tolerated', async (t) => {
    const db = await createTestDatabase(t)
    const app = await startInstance(t, db)
    await db.query('DELETE FROM instances')
    await eventually(async () => (await db.query('SELECT FROM instances')).length === 1)
    await db.query('ALTER TABLE instances RENAME TO elsewhere')
    const other = await startInstance(t, db)
    t.equal(other.instances.known, 1)
    await db.query('ALTER TABLE elsewhere RENAME TO instances')
    await eventually(async () => app.instances.known === 2 && other.instances.known === 2)
  })
})
