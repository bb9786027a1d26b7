// Among the first, because it takes long.

import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { amount } from '#test/support/amount.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startInstance } from '#test/support/instances.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

const LIMITS = {
  APP_RATE_LIMIT__ENABLED: 'true',
  APP_RATE_LIMIT__WINDOW: '1h',
  APP_RATE_LIMIT__PER_ADDRESS: '90',
  // A busy machine is not a database that hangs.
  APP_RATE_LIMIT__DATABASE_TIMEOUT: '10s',
}

const CLIENTS = amount({ few: 3, many: 6 })

/** Three instances on one database. */
async function startThree(
  t: Test,
  db: Pick<TestDatabase, 'url'>,
  env: Record<string, string>,
): Promise<FastifyInstance[]> {
  const apps: FastifyInstance[] = []
  for (let i = 0; i < 3; i++) apps.push(await startInstance(t, db, { ...LIMITS, ...env }))
  await eventually(async () => apps.every((app) => app.instances.known === 3))
  return apps
}

async function send(app: FastifyInstance, remoteAddress = '192.0.2.1', url = '/nothing'): Promise<number> {
  return (await app.inject({ url, remoteAddress })).statusCode
}

/** Sends requests at once, to the instances in turn, and returns how many were admitted; the others must be 429. */
async function flood(
  t: Test,
  apps: FastifyInstance[],
  count: number,
  remoteAddress?: string,
): Promise<number> {
  const requests = Array.from({ length: count }, (_, i) => apps[i % apps.length]).map(
    (app) => app && send(app, remoteAddress),
  )
  const statuses = await Promise.all(requests)
  t.strictSame(
    statuses.filter((status) => status !== 404 && status !== 429),
    [],
  )
  return statuses.filter((status) => status === 404).length
}

async function metric(app: FastifyInstance | undefined, name: string): Promise<Record<string, number>> {
  const values = (await app?.metrics.getSingleMetric(name)?.get())?.values ?? []
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(), value]))
}

/** How often a statement was run, by all. */
async function statements(apps: FastifyInstance[], name: string): Promise<number> {
  const counts = apps.map(async (app) => {
    const values = (await app.metrics.getSingleMetric('db_query_duration_seconds')?.get())?.values ?? []
    return values
      .filter(({ labels }) => Object.values(labels).includes(name) && 'le' in labels)
      .reduce((most, { value }) => Math.max(most, value), 0)
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

t.test('counted in PostgreSQL', async (t) => {
  t.test('hundreds of requests at once at three instances: the limit is admitted, and no more', async (t) => {
    const db = await createTestDatabase(t)
    const apps = await startThree(t, db, {})
    t.match(
      await metric(apps[0], 'rate_limit_store'),
      { postgres: 1 },
      'auto is PostgreSQL for several instances',
    )
    t.equal(await flood(t, apps, 450), 90)
    t.match(await db.query('SELECT used FROM rate_limits'), [{ used: 90 }])
    t.equal(await flood(t, apps, 30), 0)
    t.equal(await flood(t, apps, 300, '192.0.2.2'), 90, 'another client has its own')
    const clients = Array.from({ length: CLIENTS }, (_, i) => `198.51.100.${i}`)
    const admitted = await Promise.all(clients.map((client) => flood(t, apps, 150, client)))
    t.strictSame(admitted, Array(CLIENTS).fill(90), 'many clients at once')
    t.strictSame(await metric(apps[1], 'rate_limit_decisions_alone_total'), { '': 0 })
  })

  t.test('a busy client is asked for in advance, and gets no more for it', async (t) => {
    const db = await createTestDatabase(t)
    const apps = await startThree(t, db, { APP_RATE_LIMIT__PER_ADDRESS: '800' })
    let admitted = 0
    for (let turn = 0; turn < 100; turn++) admitted += await flood(t, apps, 9)
    t.ok(admitted <= 800, 'never more than the limit')
    t.ok(admitted > 700, 'and hardly less, whatever the others keep')
    // How many are asked for follows from how fast the client is, and so does not say much on a busy machine.
    const questions = await statements(apps, 'takePoints')
    t.ok(questions < 700, `${questions} questions for 900 requests`)
  })

  t.test('a window that has ended starts again, and is cleaned up', async (t) => {
    const db = await createTestDatabase(t)
    const app = await startInstance(t, db, {
      ...LIMITS,
      APP_RATE_LIMIT__STORE: 'postgres',
      APP_RATE_LIMIT__PER_ADDRESS: '1',
      APP_RATE_LIMIT__WINDOW: '1s',
    })
    t.equal(await send(app), 404)
    const seen = new Set<number>()
    while (!(seen.has(429) && seen.has(404))) seen.add(await send(app))
    t.pass('refused, and admitted again')
  })

  t.test('an instance that is not alone any more tells what it has admitted', async (t) => {
    const db = await createTestDatabase(t)
    const first = await startInstance(t, db, LIMITS)
    t.match(await metric(first, 'rate_limit_store'), { memory: 1 })
    t.equal(await flood(t, [first], 60), 60)
    t.strictSame(await db.query('SELECT FROM rate_limits'), [])
    const second = await startInstance(t, db, LIMITS)
    t.equal(second.instances.known, 2)
    await eventually(async () => first.instances.known === 2)
    t.equal(await send(first), 404)
    t.equal(await flood(t, [second], 90), 29)
    await second.close()
    await eventually(async () => first.instances.known === 1)
    t.equal(await flood(t, [first], 90), 0, 'what the other has admitted stays used')
  })
})

t.test('PostgreSQL away', async (t) => {
  for (const way of ['cut', 'hang'] as const) {
    t.test(`${way}: each instance has its share, less what it has admitted before`, async (t) => {
      const db = await createTestDatabase(t)
      const proxy = await startProxy(t, db.url)
      const apps = await startThree(
        t,
        { url: proxy.url },
        // What is told again, because its answer was lost, counts twice.
        { APP_DATABASE__CONNECTION_TIMEOUT: '10s', APP_DATABASE__QUERY_TIMEOUT: '15s' },
      )
      const [first, second, third] = apps
      if (!first || !second || !third) throw new Error('there are three')
      t.equal(await flood(t, [first], 20), 20)
      await proxy[way]()
      // The last known number holds; the share of each is 30.
      t.equal(await flood(t, [first], 100), 10)
      t.equal(await flood(t, [second], 100), 30)
      t.equal(await flood(t, [third], 100, '192.0.2.9'), 30)
      t.strictSame(
        apps.map((app) => app.instances.known),
        [3, 3, 3],
      )
      t.ok(((await metric(second, 'rate_limit_decisions_alone_total'))[''] ?? 0) > 0)

      await proxy.restore()
      await eventually(async () => (await first.inject('/ready')).statusCode === 200)
      // Told of what was admitted meanwhile, the store has 90 - 20 - 10 - 30 left.
      await eventually(async () => {
        await Promise.all([send(first), send(second)])
        const [row] = await db.query<{ used: number }>(
          `SELECT used FROM rate_limits WHERE subject = 'address:192.0.2.1'`,
        )
        return (row?.used ?? 0) > 60
      })
      // An instance that is not answered in time decides alone again, and tells later.
      await eventually(async () => {
        await flood(t, apps, 100)
        const [row] = await db.query<{ used: number }>(
          `SELECT used FROM rate_limits WHERE subject = 'address:192.0.2.1'`,
        )
        return row?.used === 90
      })
      t.strictSame(
        apps.map((app) => app.instances.known),
        [3, 3, 3],
        'nobody took itself for the only one',
      )
    })
  }

  t.test('away at the start: counted in memory, and nothing is 5xx', async (t) => {
    const db = await createTestDatabase(t)
    const proxy = await startProxy(t, db.url, { open: false })
    const app = await startInstance(t, { url: proxy.url }, LIMITS)
    t.equal(await flood(t, [app], 100), 90)
  })

  t.test('chosen memory is each instance by itself', async (t) => {
    const db = await createTestDatabase(t)
    const apps = await startThree(t, db, { APP_RATE_LIMIT__STORE: 'memory' })
    t.equal(await flood(t, apps, 600), 270)
  })
})
