import t, { type Test } from 'tap'
import type { Log } from '#lib/context.ts'
import { RedisConnection } from '#lib/redis/connection.ts'
import { defineScript, Redis, type RedisFailure, RedisUnavailable } from '#lib/redis/redis.ts'
import { eventually } from '#test/support/eventually.ts'
import { type RedisServer, startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

interface Rig {
  redis: Redis
  connection: RedisConnection
  /** Error of each command; undefined is a success. */
  outcomes: (RedisFailure | undefined)[]
  lines: { level: string; message: string }[]
}

async function connect(t: Test, url: string, { timeout = 2000 } = {}): Promise<Rig> {
  const lines: Rig['lines'] = []
  const write = (level: string) => (_fields: object, message: string) => lines.push({ level, message })
  const log: Log = { info: write('info'), warn: write('warn'), error: write('error') }
  const outcomes: Rig['outcomes'] = []
  const connection = new RedisConnection(url, 'test:', log)
  t.teardown(() => connection.close())
  const finished = (failure: RedisFailure | undefined) => outcomes.push(failure)
  const redis = new Redis(connection, { timeout, prefix: 'test:', finished })
  await connection.start()
  return { redis, connection, outcomes, lines }
}

const isReady = (redis: Redis) => eventually(async () => redis.isReady)
const isAway = (redis: Redis) => eventually(async () => !redis.isReady)
const AWAY = { level: 'warn', message: 'Redis is away; the service continues without it' }
const CONNECTED = { level: 'info', message: 'connected to Redis' }

t.test('Redis', { skip: WITHOUT_REDIS }, async (t) => {
  t.test('keeps values under its prefix, for as long as it is told', async (t) => {
    const server = await startRedis(t)
    const { redis, outcomes, lines } = await connect(t, server.url)
    t.equal(redis.isReady, true)
    t.match(await server.command('CLIENT', 'LIST'), / name=groundwork .* resp=2/)
    t.ok(Number(await server.command('PTTL', 'test:ready')) <= 1000, 'the write by which it was tried')
    t.equal(await redis.get('a'), undefined)
    await redis.set('a', 'b\u0000ä', { px: 60_000 })
    t.equal(await redis.get('a'), 'b\u0000ä')
    const ttl = Number(await server.command('PTTL', 'test:a'))
    t.ok(ttl > 0 && ttl <= 60_000)
    await redis.set('c', 'd', { px: 0.5 })
    await eventually(async () => (await redis.get('c')) === undefined)
    t.ok(outcomes.every((failure) => failure === undefined))
    t.strictSame(lines, [CONNECTED])
  })

  t.test('runs scripts, also those that it has forgotten', async (t) => {
    const server = await startRedis(t)
    const { redis, outcomes } = await connect(t, server.url)
    const script = defineScript(`return { redis.call('INCRBY', KEYS[1], ARGV[1]), 'x' }`)
    t.strictSame(await redis.run(script, ['n'], [2]), [2, 'x'])
    t.strictSame(await redis.run(script, ['n'], ['3']), [5, 'x'])
    await server.command('SCRIPT', 'FLUSH')
    t.strictSame(await redis.run(script, ['n'], [1]), [6, 'x'])
    t.equal(await server.command('GET', 'test:n'), '6')
    t.ok(outcomes.every((failure) => failure === undefined))
  })

  t.test('a command that is refused fails, and nothing else does', async (t) => {
    const server = await startRedis(t)
    const { redis, outcomes } = await connect(t, server.url)
    await server.command('LPUSH', 'test:list', 'x')
    await t.rejects(redis.get('list'), RedisUnavailable)
    t.strictSame(outcomes, ['refused'])
    t.equal(await redis.get('a'), undefined)
    await t.rejects(redis.run(defineScript('nonsense'), [], []), RedisUnavailable)
    t.equal(redis.isReady, true)
  })

  t.test('absent at the start, it is used when it comes; the log says it once', async (t) => {
    const server = await startRedis(t, { running: false })
    const { redis, lines, outcomes } = await connect(t, server.url)
    t.equal(redis.isReady, false)
    await t.rejects(redis.get('a'), RedisUnavailable)
    t.strictSame(outcomes, [], 'nothing was sent')
    await server.restart()
    await isReady(redis)
    t.equal(await redis.get('a'), undefined)
    t.strictSame(lines, [AWAY, CONNECTED])
  })

  t.test('it dies and comes back', async (t) => {
    const server = await startRedis(t)
    const { redis, lines } = await connect(t, server.url)
    await server.kill()
    await isAway(redis)
    await t.rejects(redis.set('a', 'b', { px: 1000 }), RedisUnavailable)
    await server.restart()
    await isReady(redis)
    t.equal(await redis.get('a'), undefined)
    t.strictSame(lines, [CONNECTED, AWAY, CONNECTED])
  })

  t.test('a connection that is cut fails what waits on it', async (t) => {
    const server = await startRedis(t)
    const proxy = await startProxy(t, server.url)
    const { redis, outcomes } = await connect(t, proxy.url, { timeout: 60_000 })
    proxy.hang()
    const waiting = [redis.get('a'), redis.get('b')].map((work) => t.rejects(work, RedisUnavailable))
    await proxy.restore()
    await Promise.all(waiting)
    t.strictSame(outcomes, ['lost', 'lost'])
    await isReady(redis)
    t.equal(await redis.get('a'), undefined)
  })

  t.test('it hangs: what waits fails, what follows fails at once, and it is used again', async (t) => {
    const server = await startRedis(t)
    const { redis, outcomes, lines } = await connect(t, server.url, { timeout: 40 })
    server.pause()
    await Promise.all([redis.get('a'), redis.get('b')].map((work) => t.rejects(work, RedisUnavailable)))
    t.equal(redis.isReady, false)
    t.match(outcomes[0], 'no_answer')
    const before = outcomes.length
    await t.rejects(redis.get('c'), RedisUnavailable)
    t.equal(outcomes.length, before, 'nothing was sent')
    server.resume()
    await isReady(redis)
    t.strictSame(lines, [CONNECTED, AWAY, CONNECTED])
  })

  t.test('it hangs when we connect', async (t) => {
    const server = await startRedis(t)
    server.pause()
    const { redis } = await connect(t, server.url)
    t.equal(redis.isReady, false)
    server.resume()
    await isReady(redis)
  })

  t.test('a replica, and one that is full, count as away until they take writes', async (t) => {
    await withUnwritable(t, ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'])
    await withUnwritable(t, ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'])
  })

  t.test('a wrong password does not end the service', async (t) => {
    const server = await startRedis(t, { password: 'right' })
    const url = new URL(server.url)
    url.password = 'wrong'
    const { redis, lines } = await connect(t, url.href)
    t.equal(redis.isReady, false)
    t.strictSame(lines, [AWAY])
    t.equal((await connect(t, server.url)).redis.isReady, true)
  })

  t.test('after the end nothing connects any more', async (t) => {
    const server = await startRedis(t)
    const { redis, connection, lines } = await connect(t, server.url)
    await connection.close()
    t.equal(redis.isReady, false)
    await t.rejects(redis.get('a'), RedisUnavailable)
    t.strictSame(lines, [CONNECTED])
  })
})

async function withUnwritable(t: Test, breaking: string[], fixing: string[]): Promise<void> {
  const server: RedisServer = await startRedis(t)
  const { redis, outcomes } = await connect(t, server.url)
  await server.command(...breaking)
  await t.rejects(redis.set('a', 'b', { px: 1000 }), RedisUnavailable)
  t.strictSame(outcomes, ['refused'])
  await isAway(redis)
  await server.command(...fixing)
  await isReady(redis)
  await redis.set('a', 'b', { px: 1000 })
}
