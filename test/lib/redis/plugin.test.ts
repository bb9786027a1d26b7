import t from 'tap'
import { bucketsOf } from '#test/support/buckets.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

t.test('without a URL there is none, and no metric of it', async (t) => {
  const { app } = await createTestApp(t)
  t.equal(app.redis, undefined)
  t.notMatch(await app.metrics.metrics(), /^redis_/m)
})

t.test('with a URL', { skip: WITHOUT_REDIS }, async (t) => {
  t.test('it is there from the first request on, under its prefix', async (t) => {
    const server = await startRedis(t)
    const { app, request } = await createTestApp(t, {
      APP_REDIS__URL: server.url,
      APP_REDIS__KEY_PREFIX: 'mine:',
      APP_REDIS__COMMAND_TIMEOUT: '5s',
    })
    const { redis } = app
    if (redis === undefined) throw new Error('there is one')
    await redis.set('a', 'b', { px: 60_000 })
    t.equal(await server.command('GET', 'mine:a'), 'b')
    await server.command('LPUSH', 'mine:list', 'x')
    await t.rejects(redis.get('list'))
    const { body } = await request({ url: '/metrics' })
    t.match(body, /^redis_up 1$/m)
    t.match(body, /^redis_command_duration_seconds_count 2$/m)
    t.strictSame(
      bucketsOf(app.metrics, 'redis_command_duration_seconds'),
      [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
    )
    t.match(body, /^redis_command_failures_total\{reason="refused"\} 1$/m)
    t.match(body, /^redis_command_failures_total\{reason="no_answer"\} 0$/m)
  })

  t.test('the service is well without it', async (t) => {
    const server = await startRedis(t, { running: false })
    const { app, request, logs } = await createTestApp(t, { APP_REDIS__URL: server.url })
    t.equal((await request({ url: '/ready' })).statusCode, 200)
    t.match((await request({ url: '/metrics' })).body, /^redis_up 0$/m)
    t.match(
      logs().find(({ msg }) => msg === 'Redis is away; the service continues without it'),
      { level: 'warn', err: { code: 'ECONNREFUSED' } },
    )
    await server.restart()
    await eventually(async () => app.redis?.isReady === true)
    await app.close()
    t.equal(app.redis?.isReady, false)
  })
})
