import t, { type Test } from 'tap'
import { Listener, type ListenerOptions } from '#lib/database/listener.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

function settings(url: string): Omit<ListenerOptions, 'heard' | 'lost'> {
  const connection = { ...connectionTo(url), application_name: 'groundwork-listener-test' }
  return { connection, channel: 'news "x"', beatIntervalMs: 10_000, retryIntervalMs: 50 }
}

async function subscribe(t: Test) {
  const db = await createTestDatabase(t)
  const events: string[] = []
  const listener = new Listener({
    ...settings(db.url),
    heard: (payload) => events.push(`heard ${payload}`),
    connected: () => events.push('connected'),
    lost: () => events.push('lost'),
  })
  await listener.open()
  t.teardown(() => listener.close())
  const has = (...expected: string[]) => eventually(async () => events.join() === expected.join())
  return { db, has }
}

t.test('hears what is told to its channel', async (t) => {
  const { db, has } = await subscribe(t)
  await db.query(`NOTIFY "news ""x""", 'one'`)
  await db.query(`NOTIFY other, 'two'`)
  await db.query(`NOTIFY "news ""x""", 'three'`)
  await has('connected', 'heard one', 'heard three')
})

t.test('connects again when the connection is lost', async (t) => {
  const { db, has } = await subscribe(t)
  const terminate = () =>
    db.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'groundwork-listener-test' AND datname = current_database()",
    )
  await terminate()
  await has('connected', 'lost', 'connected')
  await db.query(`NOTIFY "news ""x""", 'again'`)
  await has('connected', 'lost', 'connected', 'heard again')
})

t.test('says so when it cannot listen in the first place', async (t) => {
  const listener = new Listener({
    ...settings('postgres://nobody@127.0.0.1:1/nothing'),
    heard: () => t.fail(),
    connected: () => t.fail(),
    lost: () => t.fail(),
  })
  await t.rejects(listener.open(), { code: 'ECONNREFUSED' })
  await listener.close()
})

t.test('keeps trying when it is started, asks for signs of life, and ends when it is closed', async (t) => {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url, { open: false })
  let losses = 0
  let beats = 0
  const listener = new Listener({
    ...settings(proxy.url),
    beatIntervalMs: 5,
    beat: async (client) => {
      await client.query('SELECT 1')
      beats++
    },
    heard: () => undefined,
    lost: () => losses++,
  })
  listener.start()
  await eventually(async () => losses > 1)
  await proxy.restore()
  await eventually(async () => beats > 1)
  await listener.close()
  const after = beats
  await db.query('SELECT 1')
  t.equal(beats, after, 'a closed listener asks no more')
})

t.test('gives up before a pooler, if it is told to', async (t) => {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url, { pools: true })
  const pooled = new Promise((resolve) => {
    const listener = new Listener({
      ...settings(proxy.url),
      heard: () => t.fail(),
      connected: () => t.fail(),
      lost: () => t.fail(),
      pooled: resolve,
    })
    listener.start()
    t.teardown(() => listener.close())
  })
  t.match(await pooled, { message: 'there is a pooler before PostgreSQL' })
})
