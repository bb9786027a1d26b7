import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startInstance } from '#test/support/instances.ts'
import { type RedisServer, startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

/** Three instances that count in Redis; faults of real processes are in test/faults/. */
async function startThree(
  t: Test,
  env: Record<string, string> = {},
): Promise<{ apps: FastifyInstance[]; redis: RedisServer }> {
  const db = await createTestDatabase(t)
  const redis = await startRedis(t)
  const apps: FastifyInstance[] = []
  for (let i = 0; i < 3; i++) {
    const app = await startInstance(t, db, {
      APP_REDIS__URL: redis.url,
      APP_REDIS__COMMAND_TIMEOUT: '5s',
      APP_RATE_LIMIT__ENABLED: 'true',
      APP_RATE_LIMIT__WINDOW: '1h',
      APP_RATE_LIMIT__PER_ADDRESS: '90',
      ...env,
    })
    apps.push(app)
  }
  await eventually(async () => apps.every(({ instances }) => instances.known === 3))
  return { apps, redis }
}

/** Sends requests of a client at once, to the instances in turn, and returns how many were admitted. */
async function flood(
  t: Test,
  apps: FastifyInstance[],
  count: number,
  remoteAddress = '192.0.2.1',
): Promise<number> {
  const requests = Array.from({ length: count }, async (_, i) => {
    return (await apps[i % apps.length]?.inject({ url: '/nothing', remoteAddress }))?.statusCode
  })
  const statuses = await Promise.all(requests)
  t.strictSame(
    statuses.filter((status) => status !== 404 && status !== 429),
    [],
  )
  return statuses.filter((status) => status === 404).length
}

t.test('rate limits in Redis', { skip: WITHOUT_REDIS }, async (t) => {
  // Each test is about a client of its own.
  const { apps, redis } = await startThree(t)
  const keyOf = (address: string) => `groundwork:rate-limit:address:${address}`

  await t.test(
    'a thousand requests at once at three instances: the limit is admitted, and no more',
    async (t) => {
      t.equal(await flood(t, apps, 1000, '192.0.2.1'), 90)
      t.equal(await redis.command('GET', keyOf('192.0.2.1')), '90')
      t.ok(Number(await redis.command('PTTL', keyOf('192.0.2.1'))) > 3_000_000)
      t.match(await apps[0]?.metrics.getSingleMetricAsString('rate_limit_store'), /\{store="redis"\} 1/)
    },
  )

  await t.test('what was forgotten is told again, and no instance admits more than the limit', async (t) => {
    const first = apps.slice(0, 1)
    t.equal(await flood(t, first, 80, '192.0.2.2'), 80)
    await redis.command('FLUSHALL')
    t.equal(await flood(t, first, 90, '192.0.2.2'), 10)
    t.equal(await flood(t, apps.slice(1), 10, '192.0.2.2'), 0, 'the others hear of it')
  })

  await t.test('a count lives no longer than the window that is set now', async (t) => {
    // An instance that knows that nothing is left does not ask, so each life has its own.
    for (const [index, life] of [['PX', '86400000'], []].entries()) {
      await redis.command('SET', keyOf('192.0.2.3'), '90', ...life)
      await flood(t, apps.slice(index, index + 1), 1, '192.0.2.3')
      const left = Number(await redis.command('PTTL', keyOf('192.0.2.3')))
      t.ok(left > 0 && left <= 3_600_000, `${left} ms are left`)
    }
  })

  await t.test('keys of another kind in its place leave each instance to itself', async (t) => {
    await redis.command('LPUSH', keyOf('192.0.2.4'), 'x')
    await redis.command('PEXPIRE', keyOf('192.0.2.4'), '600000')
    t.equal(await flood(t, apps, 300, '192.0.2.4'), 90)
  })
})

t.test('a window in Redis that has ended starts again', { skip: WITHOUT_REDIS }, async (t) => {
  const { apps } = await startThree(t, { APP_RATE_LIMIT__PER_ADDRESS: '1', APP_RATE_LIMIT__WINDOW: '1s' })
  const seen = new Set<number>()
  while (seen.size < 2) seen.add(await flood(t, apps, 1))
  t.strictSame([...seen].sort(), [0, 1])
  seen.clear()
  while (seen.size < 2) seen.add(await flood(t, apps, 1))
  t.pass('and again')
})
