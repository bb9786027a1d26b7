import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { SharedCache } from '#lib/cache/shared-cache.ts'
import { RedisConnection } from '#lib/redis/connection.ts'
import { Redis } from '#lib/redis/redis.ts'
import { eventually } from '#test/support/eventually.ts'
import { type RedisServer, startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

/** Milliseconds; longer than a test takes, which lets the time pass by `later`. */
const MAX_AGE = 3_600_000
const key = createSecretKey(randomBytes(32))
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const ada = (readAt = now()) => ({ value: { name: 'ada' }, owner: 'owner', lifetimeMs: MAX_AGE, readAt })

/** Milliseconds by which the clocks are ahead. */
let ahead = 0
const now = () => Date.now() + ahead

/** Lets a test move the time on by `later`. */
function controlTime(t: Test): void {
  const elapsed = performance.now.bind(performance)
  t.intercept(performance, 'now', { value: () => elapsed() + ahead })
}

function later(milliseconds: number): void {
  ahead += milliseconds
}

/** A cache of an instance; `listening` for how long it has been told of all changes already. */
async function instance(t: Test, { url }: RedisServer, options: { key?: KeyObject; maxAge?: number } = {}) {
  const connection = new RedisConnection(url, '', silent)
  t.teardown(() => connection.close())
  await connection.start()
  const store = new Redis(connection, { timeout: 5000, prefix: '', finished: () => undefined })
  return new SharedCache<{ name: string }>({
    store,
    key,
    prefix: 'test:',
    maxAge: MAX_AGE,
    now,
    ...options,
  })
}

/** One that has been told of all changes for long enough. */
async function believing(t: Test, redis: RedisServer, options: { key?: KeyObject } = {}) {
  const cache = await instance(t, redis, options)
  cache.distrustAll()
  later(MAX_AGE)
  return cache
}

t.test('instances keep values for each other', { skip: WITHOUT_REDIS }, async (t) => {
  controlTime(t)
  const redis = await startRedis(t)
  const [one, two] = await Promise.all([believing(t, redis), believing(t, redis)])
  t.equal(await two.get('a'), undefined)
  one.set('a', ada())
  await eventually(async () => (await two.get('a')) !== undefined)
  const left = Number(await redis.command('PTTL', 'test:a'))
  t.ok(left > 0 && left <= MAX_AGE, 'the store forgets it too')
  const found = await two.get('a')
  t.match(found, { value: { name: 'ada' }, owner: 'owner' })
  t.ok(Number(found?.lifetimeMs) <= MAX_AGE)
  later(MAX_AGE)
  t.equal(await two.get('a'), undefined, 'also while the store still has it')
})

t.test('who has just begun to hear of changes believes nothing', { skip: WITHOUT_REDIS }, async (t) => {
  controlTime(t)
  const redis = await startRedis(t)
  const one = await believing(t, redis)
  const fresh = await instance(t, redis)
  one.set('a', { ...ada(), readAt: now() + 60_000 })
  await eventually(async () => (await redis.command('EXISTS', 'test:a')) === 1)
  t.equal(await fresh.get('a'), undefined, 'it does not hear yet')
  fresh.distrustAll()
  t.equal(await fresh.get('a'), undefined)
})

t.test('a store that does not forget is of no use to anybody', { skip: WITHOUT_REDIS }, async (t) => {
  controlTime(t)
  const redis = await startRedis(t)
  const [one, two] = await Promise.all([believing(t, redis), believing(t, redis)])
  one.set('a', ada())
  await eventually(async () => (await redis.command('EXISTS', 'test:a')) === 1)
  const text = String(await redis.command('GET', 'test:a'))
  const restore = (name = 'test:a', value = text) => redis.command('SET', name, value)

  await restore()
  t.ok(await two.get('a'))
  two.distrust('a')
  t.equal(await two.get('a'), undefined, 'the key is not believed')
  const three = await believing(t, redis)
  await restore()
  t.equal(await three.get('a'), undefined, 'it is older than what may be believed')

  one.set('b', ada())
  await eventually(async () => (await three.get('b')) !== undefined)
  three.distrust('owner')
  t.equal(await three.get('b'), undefined, 'nothing of that owner is')
  later(MAX_AGE)
  three.distrust('something else')
  one.set('b', ada())
  await eventually(async () => (await three.get('b')) !== undefined)
})

t.test('what another has written is nothing', { skip: WITHOUT_REDIS }, async (t) => {
  controlTime(t)
  const redis = await startRedis(t)
  const cache = await believing(t, redis)
  cache.set('a', { ...ada(), readAt: now() + 2 * MAX_AGE })
  await eventually(async () => (await cache.get('a')) !== undefined)
  const text = String(await redis.command('GET', 'test:a'))
  for (const forged of [
    '',
    '.',
    'x.{}',
    text.replace('ada', 'eve'),
    text.slice(1),
    text.slice(text.indexOf('.')),
  ]) {
    await redis.command('SET', 'test:a', forged)
    t.equal(await cache.get('a'), undefined, forged)
  }
  cache.set('large', { ...ada(), value: { name: 'a'.repeat(100_000) } })
  cache.set('after', ada())
  await eventually(async () => (await cache.get('after')) !== undefined)
  t.equal(await redis.command('EXISTS', 'test:large'), 0, 'what is too large to be checked is not kept')
  await redis.command('SET', 'test:b', text)
  t.equal(await cache.get('b'), undefined, 'it belongs to another key')
  await redis.command('SET', 'test:a', text)
  const stranger = await believing(t, redis, { key: createSecretKey(randomBytes(32)) })
  t.equal(await stranger.get('a'), undefined, 'signed with another key')
})

t.test('without Redis there is nothing, and no error', { skip: WITHOUT_REDIS }, async (t) => {
  controlTime(t)
  const redis = await startRedis(t)
  const cache = await believing(t, redis)
  await redis.kill()
  cache.set('a', ada())
  t.equal(await cache.get('a'), undefined)
})
