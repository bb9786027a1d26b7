import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import { insertDeliveries } from '#services/webhooks/queries-of-deliveries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createOrganization } from '#test/support/organizations.ts'

const HOUR_MS = 3_600_000

t.test('deliveries are found by state, type, event and time, and all of them together', async (t) => {
  const { app, db, request } = await borrowTestApp(t)
  const tenant = await createOrganization(app)
  const as = tenant.owner
  const webhook = await tenant.createWebhook()
  const list = `${tenant.url}/webhooks/${webhook.id}/deliveries`
  const start = Date.now() - 100 * HOUR_MS

  /** A delivery of each hour; every fifth failed, and every tenth is of a member. */
  const rows = Array.from({ length: 60 }, (_, hour) => ({
    org_id: tenant.organization.id,
    id: uuidv7({ msecs: start + hour * HOUR_MS }),
    endpoint_id: webhook.id,
    event_id: uuidv7(),
    event_type: hour % 10 === 0 ? 'members.added' : hour % 2 === 0 ? 'projects.created' : 'projects.deleted',
    body: '{}',
    state: 'skipped' as const,
  }))
  await insertDeliveries(new OrgDatabase(app.db, tenant.organization.id), rows)
  await db.query(
    `UPDATE webhook_deliveries SET created_at = to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
     WHERE org_id = $1`,
    [tenant.organization.id],
  )
  const failed = rows.filter((_, hour) => hour % 5 === 0)
  await db.query("UPDATE webhook_deliveries SET state = 'failed' WHERE id = ANY ($1)", [
    failed.map(({ id }) => id),
  ])

  /** All pages of a list, as ids, oldest first. */
  const all = async (query: Record<string, string>): Promise<string[]> => {
    const ids: string[] = []
    let cursor: string | null = null
    do {
      const search = new URLSearchParams({ limit: '7', ...query, ...(cursor === null ? {} : { cursor }) })
      const response = await request({ url: `${list}?${search}`, as })
      t.equal(response.statusCode, 200, response.body)
      const page: { data: { id: string }[]; next_cursor: string | null } = response.json()
      t.ok(page.data.length <= 7)
      ids.push(...page.data.map(({ id }) => id))
      cursor = page.next_cursor
    } while (cursor !== null)
    return ids.toReversed()
  }
  const idsOf = (wanted: typeof rows) => wanted.map(({ id }) => id)
  const at = (hour: number) => new Date(start + hour * HOUR_MS).toISOString()

  t.same(await all({}), idsOf(rows))
  t.same(await all({ state: 'failed' }), idsOf(failed))
  t.same(await all({ state: 'delivered' }), [])
  t.same(await all({ event_type: 'members.added' }), idsOf(rows.filter((_, hour) => hour % 10 === 0)))
  t.same(await all({ event_type: 'projects.*' }), idsOf(rows.filter((_, hour) => hour % 10 !== 0)))
  t.same(await all({ event_type: 'project.*' }), [], 'a domain is all of what stands before the dot')
  t.same(await all({ event_type: 'projects.updated' }), [])
  t.same(await all({ event_id: String(rows[3]?.event_id).toUpperCase() }), idsOf(rows.slice(3, 4)))
  t.same(await all({ since: at(20) }), idsOf(rows.slice(20)), 'from this time on')
  t.same(await all({ until: at(20) }), idsOf(rows.slice(0, 20)), 'before this time')
  t.same(await all({ since: '0001-01-01T00:00:00Z', until: '9999-12-31T23:59:59Z' }), idsOf(rows))
  t.same(await all({ since: at(30), until: at(20) }), [])
  const mixed = { since: at(10), until: at(50), state: 'failed', event_type: 'projects.*' }
  t.same(await all(mixed), idsOf([15, 25, 35, 45].flatMap((hour) => rows[hour] ?? [])))

  /** So many newer ones, of another type. */
  const insertNewer = (count: number) =>
    insertDeliveries(
      new OrgDatabase(app.db, tenant.organization.id),
      Array.from({ length: count }, () => ({
        ...{ org_id: tenant.organization.id, endpoint_id: webhook.id, event_type: 'projects.created' },
        ...{ id: uuidv7(), event_id: uuidv7(), body: '{}', state: 'skipped' as const },
      })),
    )
  const ofMembers = idsOf(rows.filter((_, hour) => hour % 10 === 0)).toReversed()
  const pageOf = async (cursor: string) => {
    const { data, next_cursor } = (
      await request({ url: `${list}?event_type=members.added${cursor}`, as })
    ).json()
    return { ids: data.map(({ id }: { id: string }) => id), next_cursor }
  }
  await insertNewer(2500)
  t.same(await pageOf(''), { ids: ofMembers, next_cursor: null }, 'a page looks further than one statement')
  await insertNewer(8000)
  const { ids, next_cursor } = await pageOf('')
  t.same(ids, [], 'and ends somewhere, however rare the type is')
  t.same(await pageOf(`&cursor=${next_cursor}`), { ids: ofMembers, next_cursor: null })

  const first = (await request({ url: `${list}?limit=1`, as })).json()
  const other = await tenant.createWebhook()
  const elsewhere = `${tenant.url}/webhooks/${other.id}/deliveries?cursor=${first.next_cursor}`
  expectProblem(t, await request({ url: elsewhere, as }), { status: 400, code: 'invalid_cursor' })
  for (const [name, value] of [
    ['state', 'lost'],
    ['event_type', '*'],
    ['event_type', 'projects'],
    ['event_type', 'projects.%'],
    ['event_type', 'projects.**'],
    ['event_id', 'msg_1'],
    ['since', 'yesterday'],
  ]) {
    const response = await request({ url: `${list}?${name}=${encodeURIComponent(String(value))}`, as })
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers: [`/query/${name}`] })
  }
})
