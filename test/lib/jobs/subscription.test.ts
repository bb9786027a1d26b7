import t, { type Test } from 'tap'
import { Subscription } from '#lib/jobs/subscription.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'

async function subscribe(t: Test) {
  const db = await createTestDatabase(t)
  const events: string[] = []
  const subscription = new Subscription(connectionTo(db.url), 'news "x"', {
    heard: (payload) => events.push(`heard ${payload}`),
    connected: () => events.push('connected'),
    lost: () => events.push('lost'),
  })
  await subscription.open()
  t.teardown(() => subscription.close())
  const has = (...expected: string[]) => eventually(async () => events.join() === expected.join())
  return { db, events, subscription, has }
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
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'groundwork-jobs' AND datname = current_database()",
    )
  await terminate()
  await has('connected', 'lost', 'connected')
  await db.query(`NOTIFY "news ""x""", 'again'`)
  await has('connected', 'lost', 'connected', 'heard again')
})

t.test('says so when it cannot listen in the first place', async (t) => {
  const subscription = new Subscription(connectionTo('postgres://nobody@127.0.0.1:1/nothing'), 'news', {
    heard: () => t.fail(),
    connected: () => t.fail(),
    lost: () => t.fail(),
  })
  await t.rejects(subscription.open(), { code: 'ECONNREFUSED' })
  await subscription.close()
})
