import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/webhooks/queries.ts'
import * as deliveries from '#services/webhooks/queries-of-deliveries.ts'
import * as lists from '#services/webhooks/queries-of-lists.ts'
import * as waiting from '#services/webhooks/queries-of-waiting.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

const SINCE = '2026-01-01T00:00:00Z'
const AT = new Date(SINCE)
const ATTEMPT = { attempted_at: SINCE, duration_ms: 9, status: 500, error: null, excerpt: null }
const FAILED = { ...ATTEMPT, state: 'failed', next: undefined } as const
const SECRET = { secret: Buffer.from('new'), previous: Buffer.from('old'), grace: 60 }
const STATES = ['delivered', 'failed', 'pending', 'skipped'] as const

t.test('which webhooks and deliveries a statement sees and changes', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [tenant, other] = [await createOrganization(app), await createOrganization(app)]
  const own = new OrgDatabase(app.db, tenant.organization.id)
  const foreign = new OrgDatabase(app.db, other.organization.id)
  const [hook, second] = [(await tenant.createWebhook()).id, (await tenant.createWebhook()).id]
  const make = async (state: (typeof STATES)[number], endpoint = hook) => {
    const id = uuidv7()
    const row = { org_id: own.org, id, endpoint_id: endpoint, event_id: uuidv7(), body: '{}' }
    await deliveries.insertDeliveries(own, [{ ...row, event_type: 'projects.created', state: 'pending' }])
    if (state !== 'pending')
      await db.query(
        'UPDATE webhook_deliveries SET state = $2, next_attempt_at = NULL, attempts = 1 WHERE id = $1',
        [id, state],
      )
    return id
  }
  const ids = new Map<string, string>()
  for (const state of STATES) ids.set(state, await make(state))
  const pending = ids.get('pending') ?? ''
  const stateOf = (id: string) => [...ids].find(([, one]) => one === id)?.[0]
  const rows = async () => [
    await db.query('SELECT * FROM webhook_endpoints ORDER BY id'),
    await db.query('SELECT * FROM webhook_deliveries ORDER BY id'),
    await db.query('SELECT * FROM webhook_attempts ORDER BY delivery_id, number'),
  ]

  await t.test('nothing of another organization, or of another webhook', async (t) => {
    await db.query(`UPDATE webhook_endpoints SET disabled_reason = 'requested' WHERE id = $1`, [hook])
    await deliveries.recordAttempt(own, pending, { ...FAILED, state: 'pending', next: AT, number: 1 })
    const before = await rows()
    const asked: Readonly<Record<string, (on: OrgDatabase, endpoint: string) => Promise<unknown>>> = {
      deleteDeliveries: async (on, endpoint) =>
        (await waiting.deleteDeliveries(on, endpoint, 9)) || undefined,
      resumeDeliveries: async (on, endpoint) =>
        (await waiting.resumeDeliveries(on, endpoint, { since: SINCE, limit: 9 }))[0],
      resumeDelivery: (on, endpoint) => waiting.resumeDelivery(on, endpoint, pending),
      selectDeliveries: async (on, endpoint) =>
        (await lists.selectDeliveries(on, endpoint, { limit: 9, before: undefined }))[0],
      selectDeliveriesByIds: async (on, endpoint) =>
        (await lists.selectDeliveriesByIds(on, endpoint, [...ids.values()]))[0],
      selectDelivery: (on, endpoint) => deliveries.selectDelivery(on, endpoint, pending),
      skipPending: async (on, endpoint) =>
        (await waiting.skipPending(on, endpoint, { after: null, limit: 9 })).skipped || undefined,
    }
    for (const [name, ask] of Object.entries(asked)) {
      t.equal(await ask(foreign, hook), undefined, `${name}: another organization`)
      t.equal(await ask(own, second), undefined, `${name}: another webhook`)
    }
    const ownAlone: Readonly<Record<string, (on: OrgDatabase) => Promise<unknown>>> = {
      countEndpoints: async (on) => (await queries.countEndpoints(on)) || undefined,
      deleteEndpoint: (on) => queries.deleteEndpoint(on, hook),
      markEndpointDeleted: async (on) =>
        (await queries.markEndpointDeleted(on, hook, undefined)) || undefined,
      markSlow: (on) => deliveries.markSlow(on, hook),
      markWarned: async (on) => (await deliveries.markWarned(on, hook, AT)) || undefined,
      postponeDelivery: (on) => deliveries.postponeDelivery(on, pending, { attempts: 1, until: new Date() }),
      recordAttempt: async (on) =>
        (await deliveries.recordAttempt(on, pending, { ...FAILED, number: 2 })) || undefined,
      recordFailure: (on) => deliveries.recordFailure(on, hook, AT),
      recordSuccess: (on) => deliveries.recordSuccess(on, hook, true),
      replaceSecret: (on) => queries.replaceSecret(on, hook, SECRET),
      selectAttempts: async (on) => (await deliveries.selectAttempts(on, pending))[0],
      selectEndpoint: (on) => queries.selectEndpoint(on, hook),
      selectEndpoints: async (on) => (await queries.selectEndpoints(on, { before: null, limit: 9 }))[0],
      selectSecrets: (on) => queries.selectSecrets(on, hook),
      selectWork: (on) => deliveries.selectWork(on, pending),
      stopEndpoint: async (on) => (await deliveries.stopEndpoint(on, hook, 'gone')) || undefined,
      updateEndpoint: (on) => queries.updateEndpoint(on, hook, { description: 'new' }, undefined),
    }
    for (const [name, ask] of Object.entries(ownAlone)) t.equal(await ask(foreign), undefined, name)
    t.strictSame(await rows(), before)
    await queries.deleteEndpoint(own, hook)
    t.strictSame(await rows(), before, 'one that is not marked as deleted stays')
  })

  await t.test(
    'what waits: skipped if nothing is sent there, postponed and recorded at its turn',
    async (t) => {
      await db.query('UPDATE webhook_endpoints SET disabled_reason = NULL')
      const before = await rows()
      const skip = () => waiting.skipPending(own, hook, { after: null, limit: 9 })
      t.strictSame(await skip(), { skipped: 0, last: null }, 'it is enabled')
      for (const [state, id] of ids) {
        if (state !== 'pending')
          await deliveries.postponeDelivery(own, id, { attempts: 1, until: new Date() })
        const isRecorded = await deliveries.recordAttempt(own, id, { ...FAILED, number: 3 })
        t.equal(isRecorded, false, `${state}: not at its turn`)
        if (state !== 'pending')
          t.equal(await deliveries.recordAttempt(own, id, { ...FAILED, number: 2 }), false, state)
      }
      await deliveries.postponeDelivery(own, pending, { attempts: 0, until: new Date() })
      t.strictSame(await rows(), before)
      await deliveries.postponeDelivery(own, pending, { attempts: 1, until: new Date(AT.getTime() + 1000) })
      t.match(await deliveries.selectDelivery(own, hook, pending), {
        next_attempt_at: '2026-01-01T00:00:01.000Z',
      })
      await db.query(`UPDATE webhook_endpoints SET disabled_reason = 'requested' WHERE id = $1`, [hook])
      t.match(await waiting.skipPending(own, hook, { after: pending, limit: 9 }), { skipped: 0 })
      t.strictSame(await skip(), { skipped: 1, last: pending })
      await db.query('UPDATE webhook_endpoints SET disabled_reason = NULL')
      await waiting.resumeDelivery(own, hook, pending)
      await db.query('UPDATE organizations SET deleted_at = now() WHERE id = $1', [own.org])
      t.strictSame(await skip(), { skipped: 1, last: pending }, 'its organization is deleted')
      await db.query('UPDATE organizations SET deleted_at = NULL')
    },
  )

  await t.test('those that were given up or skipped wait again, from a time on', async (t) => {
    await waiting.resumeDelivery(own, hook, pending)
    const resumed = async (since: Date) =>
      (await waiting.resumeDeliveries(own, hook, { since: since.toISOString(), limit: 9 })).map(({ id }) =>
        stateOf(id),
      )
    t.strictSame(await resumed(new Date(Date.now() + 60_000)), [])
    t.strictSame((await resumed(AT)).sort(), ['failed', 'skipped'])
  })

  await t.test('what an endpoint has been through is noted once', async (t) => {
    t.strictSame(
      [await deliveries.markWarned(own, hook, AT), await deliveries.markWarned(own, hook, AT)],
      [true, false],
    )
    t.strictSame(
      [await deliveries.stopEndpoint(own, hook, 'gone'), await deliveries.stopEndpoint(own, hook, 'failing')],
      [true, false],
    )
    t.match(await queries.selectEndpoint(own, hook), { disabled_reason: 'gone' })
    t.match(await queries.selectEndpoint(own, second), { disabled_reason: null }, 'the other is as it was')
    const first = await deliveries.recordFailure(own, hook, AT)
    const next = await deliveries.recordFailure(own, hook, new Date())
    t.match([first, next], [{ failed_attempts: 1 }, { failed_attempts: 2 }])
    t.equal(next?.first_failed_at, first?.first_failed_at)
    const [row] = await db.query('SELECT * FROM webhook_endpoints WHERE id = $1', [second])
    t.match(row, { failed_attempts: 0, first_failed_at: null, warned_at: null, is_slow: false })
  })
})
