import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { type RedisServer, startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(300_000)

const LIMIT = 300
/** Share of one of three. */
const SHARE = 100

interface Rig {
  redis: RedisServer
  services: TestService[]
}

/** Three instances, as processes, on one database and one Redis. */
async function startRig(t: Test, options: { running?: boolean } = {}): Promise<Rig> {
  const db = await createTestDatabase(t)
  const redis = await startRedis(t, options)
  const env = {
    APP_DATABASE__URL: db.url,
    APP_REDIS__URL: redis.url,
    // A busy machine is not a Redis that hangs.
    APP_REDIS__COMMAND_TIMEOUT: '2s',
    APP_RATE_LIMIT__ENABLED: 'true',
    APP_RATE_LIMIT__WINDOW: '1h',
    APP_RATE_LIMIT__PER_ADDRESS: String(LIMIT),
    APP_SERVER__TRUSTED_PROXIES: 'loopback',
  }
  const services: TestService[] = []
  for (let i = 0; i < 3; i++) services.push(await startService(t, env))
  await eventually(async () => (await metrics(services, 'instances_known')).every((known) => known === 3))
  return { redis, services }
}

/** Each instance's value of a metric. */
async function metrics(services: readonly TestService[], name: string): Promise<number[]> {
  return Promise.all(
    services.map(async ({ url }) => {
      const { text } = await call(`${url}/metrics`)
      const line = text.split('\n').find((text) => text.startsWith(`${name} `))
      return Number(line?.split(' ')[1])
    }),
  )
}

const upEverywhere = ({ services }: Rig) =>
  eventually(async () => (await metrics(services, 'redis_up')).every((up) => up === 1))

/** Sends requests of one client at once, to the services in turn; all are 404 or 429. Returns how many were admitted. */
async function flood(
  t: Test,
  services: readonly TestService[],
  count: number,
  client: string,
): Promise<number> {
  const requests = Array.from({ length: count }, async (_, i) => {
    const url = `${services[i % services.length]?.url}/nothing`
    return (await call(url, { headers: { 'x-forwarded-for': client } })).status
  })
  const statuses = await Promise.all(requests)
  t.strictSame(
    statuses.filter((status) => status !== 404 && status !== 429),
    [],
  )
  return statuses.filter((status) => status === 404).length
}

t.test('rate limits in Redis', { skip: WITHOUT_REDIS }, async (t) => {
  const rig = await startRig(t, { running: false })
  const { services, redis } = rig
  const [first, second, third] = services.map((service) => [service])
  if (!first || !second || !third) throw new Error('there are three')

  /** Each instance tells what it has admitted with the next request of the client. */
  async function tell(client: string): Promise<number> {
    let admitted = 0
    for (const service of services) admitted += await flood(t, [service], 1, client)
    return admitted
  }

  t.test('absent at the start: a share each; then together, with what was admitted', async (t) => {
    t.equal(await flood(t, services, 400, '192.0.2.1'), 3 * SHARE)
    t.equal(await flood(t, first, 50, '192.0.2.2'), 50)
    await redis.restart()
    await upEverywhere(rig)
    t.equal(await tell('192.0.2.1'), 2, 'the third hears that the others have had all that there is')
    t.equal(await flood(t, services, 30, '192.0.2.1'), 0)
    t.equal(await tell('192.0.2.2'), 3)
    t.equal(await flood(t, services, 400, '192.0.2.2'), LIMIT - 53)
  })

  t.test('a thousand requests at once at three instances: the limit is admitted, and no more', async (t) => {
    const alone = await metrics(services, 'rate_limit_decisions_alone_total')
    t.equal(await flood(t, services, 1000, '192.0.2.3'), LIMIT)
    t.equal(await flood(t, services, 30, '192.0.2.3'), 0)
    t.strictSame(await metrics(services, 'rate_limit_decisions_alone_total'), alone)
  })

  t.test('flushed: no instance admits more than the limit, and the others hear of what was', async (t) => {
    t.equal(await flood(t, first, 200, '192.0.2.4'), 200)
    await redis.command('FLUSHALL')
    t.equal(await flood(t, first, 1, '192.0.2.4'), 1)
    t.equal(await flood(t, first, 1, '192.0.2.4'), 1)
    t.equal(await flood(t, services, 400, '192.0.2.4'), LIMIT - 202)
  })

  t.test('it dies with all that it knew: a share each, less what was admitted before', async (t) => {
    t.equal(await flood(t, first, 60, '192.0.2.5'), 60)
    await redis.kill()
    t.equal(await flood(t, first, 200, '192.0.2.5'), SHARE - 60)
    t.equal(await flood(t, second, 200, '192.0.2.5'), SHARE)
    await redis.restart()
    await upEverywhere(rig)
    t.equal(await tell('192.0.2.5'), 3)
    t.equal(await flood(t, services, 400, '192.0.2.5'), LIMIT - 2 * SHARE - 3)
  })

  t.test('it hangs while requests come: none fails, and it is used again', async (t) => {
    t.equal(await flood(t, services, 30, '192.0.2.6'), 30)
    redis.pause()
    t.equal(await flood(t, services, 400, '192.0.2.6'), 3 * SHARE - 30)
    for (const { url } of services) t.equal((await call(`${url}/ready`)).status, 200)
    redis.resume()
    await upEverywhere(rig)
    await tell('192.0.2.6')
    t.equal(await flood(t, services, 30, '192.0.2.6'), 0)
    t.equal(await flood(t, services, 400, '192.0.2.7'), LIMIT)
  })

  t.test('one of three dies: the share of the others grows', async (t) => {
    await redis.kill()
    for (const { child } of third) child.kill('SIGKILL')
    const others = [...first, ...second]
    await eventually(async () => (await metrics(others, 'instances_known')).every((known) => known === 2))
    t.equal(await flood(t, others, 400, '192.0.2.8'), LIMIT)
  })
})
