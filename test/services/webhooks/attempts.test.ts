import t from 'tap'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/webhooks/queries-of-deliveries.ts'
import * as waiting from '#services/webhooks/queries-of-waiting.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('an attempt changes its own delivery and endpoint, once, and only what is so no longer', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const own = new OrgDatabase(app.db, tenant.organization.id)
  const [{ id: endpoint }, { id: other }] = [await tenant.createWebhook(), await tenant.createWebhook()]
  const { id } = await tenant.createDelivery(endpoint)
  for (const webhook of [endpoint, other]) await tenant.createDelivery(webhook)
  const pending = "state = 'pending', attempts = 2, next_attempt_at = '2026-01-01'"
  await db.query(`UPDATE webhook_deliveries SET ${pending}`)
  const [at, later] = [new Date('2026-01-02T00:00:00Z'), new Date('2026-01-03T00:00:00Z')]
  const deliveries = () => db.query('SELECT * FROM webhook_deliveries ORDER BY id <> $1, id', [id])
  const endpoints = () => db.query('SELECT * FROM webhook_endpoints ORDER BY id <> $1', [endpoint])
  /** Does something, and looks that nothing but the first row is other than before. */
  const change = async <T>(rows: typeof endpoints, work: () => Promise<T>) => {
    const before = await rows()
    const result = await work()
    const after = await rows()
    t.same(after.slice(1), before.slice(1), 'others are as they were')
    const isChanged = JSON.stringify(after[0]) !== JSON.stringify(before[0])
    return { result, isChanged, row: after[0] }
  }

  const postpone = (attempts: number) =>
    change(deliveries, () => queries.postponeDelivery(own, id, { attempts, until: later }))
  t.match(await postpone(1), { isChanged: false })
  t.match(await postpone(2), { isChanged: true, row: { next_attempt_at: later } })

  const attempt = { attempted_at: at.toISOString(), duration_ms: 7, status: 500, error: null, excerpt: 'x' }
  const record = (number: number, state: 'pending' | 'failed' = 'pending') =>
    change(deliveries, () => queries.recordAttempt(own, id, { ...attempt, number, state, next: at }))
  t.match(await record(4), { isChanged: false, result: false }, 'one before it is not there')
  t.match(await record(3), { isChanged: true, result: true, row: { attempts: 3, next_attempt_at: at } })
  t.match(await record(3), { isChanged: false, result: false }, 'it is there')
  t.match(await record(4, 'failed'), { result: true, row: { state: 'failed', attempts: 4 } })
  t.match(await record(5), { isChanged: false, result: false }, 'it has ended')
  await db.query('UPDATE webhook_deliveries SET attempts = 2 WHERE id = $1', [id])
  t.match(await postpone(2), { isChanged: false }, 'it has ended')
  t.match((await queries.selectAttempts(own, id)).slice(1), [
    { ...attempt, number: 3 },
    { ...attempt, number: 4 },
  ])

  t.match(await change(endpoints, () => queries.markSlow(own, endpoint)), { row: { is_slow: true } })
  const fail = (now: Date) => change(endpoints, () => queries.recordFailure(own, endpoint, now))
  t.match(await fail(at), { result: { failed_attempts: 1, warned_at: null }, row: { first_failed_at: at } })
  t.match(await fail(later), { result: { failed_attempts: 2 }, row: { first_failed_at: at, is_slow: true } })
  const warn = (now: Date) => change(endpoints, () => queries.markWarned(own, endpoint, now))
  t.match(await warn(at), { result: true, row: { warned_at: at } })
  t.match(await warn(later), { result: false, isChanged: false })
  const succeed = (isSlow: boolean) => change(endpoints, () => queries.recordSuccess(own, endpoint, isSlow))
  const healthy = { first_failed_at: null, failed_attempts: 0, warned_at: null }
  t.match(await succeed(true), { isChanged: true, row: { ...healthy, is_slow: true } })
  t.match(await succeed(false), { isChanged: true, row: { ...healthy, is_slow: false } })
  t.match(await succeed(false), { isChanged: false })
  const stop = (reason: 'gone' | 'failing') =>
    change(endpoints, () => queries.stopEndpoint(own, endpoint, reason))
  t.match(await stop('gone'), { result: true, row: { disabled_reason: 'gone' } })
  t.match(await stop('failing'), { result: false, isChanged: false })
})

t.test(
  'what waits for an endpoint that is disabled is skipped, and waits again when it is asked to',
  async (t) => {
    const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
    const tenant = await createOrganization(app)
    const own = new OrgDatabase(app.db, tenant.organization.id)
    const [{ id: endpoint }, { id: other }] = [await tenant.createWebhook(), await tenant.createWebhook()]
    for (const webhook of [endpoint, endpoint, endpoint, other]) await tenant.createDelivery(webhook)
    const ids = (await db.query<{ id: string }>('SELECT id FROM webhook_deliveries ORDER BY id')).map(
      ({ id }) => id,
    )
    const put = (state: string, id: string | undefined) =>
      db.query('UPDATE webhook_deliveries SET state = $1, next_attempt_at = NULL WHERE id = $2', [state, id])
    const states = async () =>
      (await db.query<{ state: string }>('SELECT state FROM webhook_deliveries ORDER BY id')).map(
        ({ state }) => state,
      )
    const disable = (id: string) =>
      db.query("UPDATE webhook_endpoints SET disabled_reason = 'failing' WHERE id = $1", [id])
    const skip = (after: string | null = null) => waiting.skipPending(own, endpoint, { after, limit: 9 })
    await db.query("UPDATE webhook_deliveries SET state = 'pending', attempts = 2, next_attempt_at = now()")

    await disable(other)
    t.strictSame(await skip(), { skipped: 0, last: null }, 'another is disabled')
    await disable(endpoint)
    await put('delivered', ids[1])
    t.strictSame(await skip(ids[0]), { skipped: 1, last: ids[2] })
    t.strictSame(await skip(), { skipped: 1, last: ids[0] })
    t.strictSame(await states(), ['skipped', 'delivered', 'skipped', 'pending'])

    await put('failed', ids[3])
    const since = new Date(Date.now() - 60_000).toISOString()
    await db.query("UPDATE webhook_deliveries SET created_at = now() - interval '2 minutes' WHERE id = $1", [
      ids[0],
    ])
    t.match(await waiting.resumeDeliveries(own, endpoint, { since, limit: 9 }), [{ id: ids[2], attempts: 2 }])
    t.strictSame(await states(), ['skipped', 'delivered', 'pending', 'failed'])
    t.equal(await waiting.resumeDelivery(own, other, ids[0] ?? ''), undefined, 'it is of another endpoint')
    t.match(await waiting.resumeDelivery(own, endpoint, ids[0] ?? ''), { id: ids[0], attempts: 2 })
    t.strictSame(await states(), ['pending', 'delivered', 'pending', 'failed'])
    t.equal(await waiting.deleteDeliveries(own, endpoint, 2), 2)
    t.equal(await waiting.deleteDeliveries(own, endpoint, 9), 1)
    t.strictSame(await states(), ['failed'])
  },
)
