import t from 'tap'
import { transaction } from '#lib/database/database.ts'
import * as memberRecords from '#services/members/records.ts'
import * as administration from '#services/organizations/administration.ts'
import * as organizations from '#services/organizations/organizations.ts'
import type { WebhookContext } from '#services/webhooks/context.ts'
import { type Attempt, deliver, type Lane } from '#services/webhooks/deliver.ts'
import * as deliveries from '#services/webhooks/deliveries.ts'
import { WebhookNotFound } from '#services/webhooks/errors.ts'
import { purgeWebhookJob, skipDeliveriesJob, skipLater } from '#services/webhooks/jobs.ts'
import * as webhooks from '#services/webhooks/webhooks.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { signUp } from '#test/support/helper.ts'
import { startReceiver } from '#test/support/http-receiver.ts'
import { createOrganization } from '#test/support/organizations.ts'

const HOUR = 3_600_000
const NOW = new Date('2026-03-01T00:00:00Z')

/** An endpoint whose attempts are made by the test, at the time that it says. */
async function start(t: Parameters<typeof borrowTestApp>[0]) {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const receiver = await startReceiver(t)
  const { organization, owner } = await createOrganization(app)
  const own = memberRecords.forNewOrganization(app.ctx, organization.id, owner.user.id)
  const webhook = await webhooks.create(own, { url: receiver.url, event_types: ['projects.*'] })
  let now = NOW
  const due: { attempt: Attempt; lane: Lane }[] = []
  const ctx: WebhookContext = { ...app.ctx, now: () => now }
  /** Makes an attempt, and returns the next one. */
  const attempt = async (data: Attempt, { isHealthyLane = false, complete = async () => {} } = {}) => {
    const run = { signal: new AbortController().signal, complete }
    const enqueue = async (_ctx: WebhookContext, next: Attempt, lane: Lane) => {
      due.push({ attempt: next, lane })
    }
    await deliver(ctx, data, { run, enqueue, skipLater, isHealthyLane })
    return due.pop()
  }
  return {
    ...{ app, db, receiver, own, webhook, attempt },
    setTime: (time: Date) => {
      now = time
    },
    async first(): Promise<Attempt> {
      const { id } = await deliveries.test(own, webhook.id)
      return { org: organization.id, delivery: id, number: 1 }
    },
    get: () => webhooks.get(own, webhook.id),
    /** The templates of the mails that were enqueued. */
    async mails(): Promise<string[]> {
      const rows = await db.query<{ template: string }>(
        "SELECT data -> 'message' ->> 'template' AS template FROM pgboss.job WHERE name = 'send_mail' ORDER BY created_on",
      )
      return rows.map(({ template }) => template)
    },
  }
}

t.test('ten attempts over three days, each with a fresh time and the same id', async (t) => {
  const { receiver, attempt, setTime, first, own, webhook } = await start(t)
  receiver.answer((response) => response.writeHead(500).end('broken'))
  const data = await first()
  let next: { attempt: Attempt; lane: Lane } | undefined = {
    attempt: data,
    lane: { endpoint: '', is_slow: true },
  }
  const times: number[] = []
  while (next !== undefined) {
    const at: Date = next.lane.at ?? NOW
    times.push(at.getTime())
    setTime(at)
    next = await attempt(next.attempt)
  }
  t.equal(times.length, 10)
  const hours = (Number(times.at(-1)) - NOW.getTime()) / HOUR
  t.ok(hours > 60 && hours < 91, `${hours} hours`)
  t.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  t.same(
    receiver.received.map(({ headers }) => Number(headers['webhook-timestamp'])),
    times.map((time) => Math.floor(time / 1000)),
  )
  const details = await deliveries.get(own, webhook.id, data.delivery)
  t.match(details, { state: 'failed', attempts: 10, next_attempt_at: null })
  t.equal(details.attempt_list.length, 10)
})

t.test(
  'five days without a success disable an endpoint, with mails at half of it and at the end',
  async (t) => {
    const { mails, receiver, attempt, setTime, first, get } = await start(t)
    receiver.answer((response) => response.writeHead(500).end())
    for (let hour = 0; hour < 60; hour += 10) await failAt(hour)
    t.same(await mails(), [], 'too few attempts, and too early')
    for (let hour = 61; hour < 66; hour++) await failAt(hour)
    t.same(await mails(), ['webhook-failing'])
    for (let hour = 66; hour < 119; hour += 5) await failAt(hour)
    t.equal((await get()).status, 'failing', 'not yet')
    await failAt(121)
    t.match(await get(), { status: 'disabled', disabled_reason: 'failing' })
    t.same(await mails(), ['webhook-failing', 'webhook-disabled'])

    async function failAt(hour: number): Promise<void> {
      setTime(new Date(NOW.getTime() + hour * HOUR))
      await attempt(await first())
    }
  },
)

t.test('after a success, and when it is enabled, an endpoint begins with a clean slate', async (t) => {
  const { own, webhook, mails, receiver, attempt, setTime, first } = await start(t)
  let hour = 0
  const fail = async (times: number) => {
    receiver.answer((response) => response.writeHead(500).end())
    for (let count = 0; count < times; count++) {
      hour += 8
      setTime(new Date(NOW.getTime() + hour * HOUR))
      await attempt(await first())
    }
  }
  await fail(9)
  t.same(await mails(), [], 'nine are too few')
  await fail(1)
  t.same(await mails(), ['webhook-failing'])

  receiver.answer((response) => response.writeHead(200).end())
  await attempt(await first())
  await fail(9)
  t.equal((await mails()).length, 1, 'those before the success do not count')
  await fail(1)
  t.equal((await mails()).length, 2, 'and people are told again')

  await webhooks.update(own, webhook.id, { enabled: true }, undefined)
  await fail(9)
  t.equal((await mails()).length, 2)
  await fail(1)
  t.equal((await mails()).length, 3)
})

t.test('a worker that dies before it has recorded an attempt leaves it to the next', async (t) => {
  const { receiver, attempt, first, own, webhook } = await start(t)
  const data = await first()
  const dies = async () => Promise.reject(new Error('killed'))
  await t.rejects(attempt(data, { complete: dies }), { message: 'killed' })
  t.equal(receiver.received.length, 1)
  await attempt(data)
  t.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  await attempt(data)
  t.equal(receiver.received.length, 2, 'once it is recorded, it is over')
  t.match(await deliveries.get(own, webhook.id, data.delivery), { state: 'delivered', attempts: 1 })
})

t.test('an endpoint that fails leaves the lane of the healthy ones', async (t) => {
  const { receiver, attempt, first } = await start(t)
  receiver.answer((response) => response.writeHead(500).end())
  t.match((await attempt(await first(), { isHealthyLane: true }))?.lane, { is_slow: true })
  const waiting = await first()
  t.match(await attempt(waiting, { isHealthyLane: true }), { attempt: waiting, lane: { is_slow: true } })
  t.equal(receiver.received.length, 1, 'it was passed on, and not tried')
  receiver.answer((response) => response.writeHead(200).end())
  await attempt(waiting)
  await attempt(await first(), { isHealthyLane: true })
  t.equal(receiver.received.length, 3, 'and comes back with a success')
})

t.test('an endpoint that lets others wait leaves their lane while it does so', async (t) => {
  const { db, receiver, attempt, first, webhook } = await start(t)
  const gate = Promise.withResolvers<void>()
  receiver.answer((response) => {
    void gate.promise.then(() => response.writeHead(500).end())
  })
  const hanging = attempt(await first(), { isHealthyLane: true })
  await eventually(async () => {
    const [row] = await db.query('SELECT is_slow FROM webhook_endpoints WHERE id = $1', [webhook.id])
    return row?.['is_slow'] === true
  })
  const waiting = await first()
  t.match(await attempt(waiting, { isHealthyLane: true }), { attempt: waiting, lane: { is_slow: true } })
  t.equal(receiver.received.length, 1, 'it was passed on, and not tried')
  gate.resolve()
  t.match(await hanging, { lane: { is_slow: true } })
})

t.test('while an organization is suspended, what is due waits, and is not counted', async (t) => {
  const { app, receiver, own, webhook, attempt, first } = await start(t)
  const admin = await signUp(app, { role: 'admin' })
  const suspend = (isSuspended: boolean) =>
    administration.setSuspended(app.ctx, { ...admin.user, sessionId: admin.session_id }, own.db.org, {
      suspended: isSuspended,
      reason: 'a test',
    })
  const data = await first()
  await suspend(true)
  const later = new Date(NOW.getTime() + 300_000)
  const looked = await attempt(data, { isHealthyLane: true })
  t.match(looked, { attempt: data, lane: { endpoint: webhook.id, is_slow: false, at: later } })
  const due = await deliveries.get(own, webhook.id, data.delivery)
  t.match(due, { state: 'pending', attempts: 0, next_attempt_at: later.toISOString() })
  t.equal(receiver.received.length, 0, 'nothing was sent')
  await suspend(false)
  t.equal(await attempt(data, { isHealthyLane: true }), undefined)
  t.equal(receiver.received.length, 1)
  t.match(await deliveries.get(own, webhook.id, data.delivery), { state: 'delivered', attempts: 1 })
})

t.test(
  'what is due when an organization is deleted is skipped, and recovered if it comes back',
  async (t) => {
    const { app, receiver, own, webhook, attempt, first } = await start(t)
    const [data, other] = [await first(), await first()]
    await organizations.remove({ ...own, ...app.ctx, db: own.db }, undefined)
    t.equal(await attempt(data, { isHealthyLane: true }), undefined, 'there is no further attempt')
    for (const { delivery } of [data, other]) {
      t.match(await deliveries.get(own, webhook.id, delivery), { state: 'skipped', attempts: 0 })
    }
    await organizations.restore({ ...own, ...app.ctx, db: own.db })
    await attempt(other)
    t.equal(receiver.received.length, 0, 'nothing was sent')
    const since = new Date(0).toISOString()
    t.same(await deliveries.recover(own, webhook.id, since), { recovered: 2, has_more: false })
    for (const due of [data, other]) await attempt(due)
    t.equal(receiver.received.length, 2)
  },
)

t.test('what waits for a webhook is skipped, or deleted with it, however much it is', async (t) => {
  const { app, db, own, webhook } = await start(t)
  const run = { id: '', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
  const wait = (count: number) =>
    db.query(
      `INSERT INTO webhook_deliveries (org_id, id, endpoint_id, event_id, event_type, body, state)
       SELECT $1, gen_random_uuid(), $2, gen_random_uuid(), 'projects.created', '{}', 'pending'
       FROM generate_series(1, $3)`,
      [own.db.org, webhook.id, count],
    )
  const states = async () =>
    Object.fromEntries(
      (await db.query('SELECT state, count(*)::int FROM webhook_deliveries GROUP BY state')).map(
        ({ state, count }) => [state, count],
      ),
    )
  const enqueued = (name: string) =>
    db.query<{ data: { org: string; endpoint: string; after: string } }>(
      'SELECT data FROM pgboss.job WHERE name = $1 ORDER BY created_on DESC',
      [name],
    )

  await wait(2500)
  await webhooks.update(own, webhook.id, { enabled: false }, undefined)
  t.strictSame(await states(), { pending: 1500, skipped: 1000 }, 'no statement takes long')
  const [rest] = await enqueued('skip_webhook_deliveries')
  if (rest === undefined) throw new Error('nobody skips the rest')
  await webhooks.update(own, webhook.id, { enabled: true }, undefined)
  await skipDeliveriesJob.handler(app.ctx, rest.data, run)
  t.strictSame(await states(), { pending: 1500, skipped: 1000 }, 'it is enabled again')
  await webhooks.update(own, webhook.id, { enabled: false }, undefined)
  const again = await enqueued('skip_webhook_deliveries')
  t.equal(again.length, 2)
  for (const { data } of again) await skipDeliveriesJob.handler(app.ctx, data, run)
  t.strictSame(await states(), { skipped: 2500 })

  await webhooks.remove(own, webhook.id, undefined)
  await t.rejects(webhooks.get(own, webhook.id), WebhookNotFound)
  await t.rejects(webhooks.update(own, webhook.id, { enabled: true }, undefined), WebhookNotFound)
  await t.rejects(webhooks.remove(own, webhook.id, undefined), WebhookNotFound)
  t.strictSame(await states(), { skipped: 2500 })
  const [purge] = await enqueued('purge_webhook')
  if (purge === undefined) throw new Error('nobody deletes what it had')
  await purgeWebhookJob.handler(app.ctx, purge.data, run)
  t.strictSame(await states(), {})
  t.strictSame(await db.query('SELECT FROM webhook_endpoints'), [])
})

t.test('errors say nothing of the network', async (t) => {
  const { db, attempt, first, own, webhook } = await start(t)
  await transaction(own, async (tx) =>
    tx.db.query({
      name: 'moveWebhook',
      text: 'UPDATE webhook_endpoints SET url = $2 WHERE org_id = $1',
      values: [tx.db.org, 'http://10.0.0.1/'],
    }),
  )
  const data = await first()
  await attempt(data)
  const { attempt_list } = await deliveries.get(own, webhook.id, data.delivery)
  t.match(attempt_list, [{ status: null, error: 'blocked_url', excerpt: null }])
  t.equal((await db.query('SELECT FROM webhook_attempts WHERE error LIKE $1', ['%10.%'])).length, 0)
})
