import t from 'tap'
import type { AuditEntry, PlatformAuditEntry } from '#schemas/audit.ts'
import { checkpoint, logContext } from '#test/services/audit/log.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const URL = '/api/v1/operations/audit-entries'

t.test('admins of the service export entries and prove one', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const theirs = await tenant.auditEntry()
  const [root, user] = [await signUp({ role: 'admin' }), await signUp()]
  await checkpoint(logContext(app))
  const ofTenant = { organization_id: tenant.organization.id }
  const listed = async (query: object): Promise<AuditEntry[]> =>
    (await request({ url: URL, query: { ...query, limit: '100' }, as: root }))
      .json()
      // Who exports a log knows whose it is.
      .data.map(({ organization_id: _, ...entry }: PlatformAuditEntry) => entry)

  for (const query of [{}, ofTenant, { action: 'users.created' }]) {
    const exported = await request({ url: `${URL}/export`, query, as: root })
    t.match(exported.headers['content-type'], /^application\/x-ndjson/)
    const entries = exported.body.trimEnd().split('\n')
    t.ok(entries.length > 0)
    t.strictSame(
      entries.map((line) => JSON.parse(line)),
      await listed(query),
    )
  }
  const conflict = await request({
    url: `${URL}/export`,
    query: { action: 'users.created', actor_id: 'b' },
    as: root,
  })
  expectProblem(t, conflict, { status: 400, code: 'audit_filters_conflict' })

  const [own] = await listed({})
  const proof = (await request({ url: `${URL}/${own?.id}`, as: root })).json()
  t.match(proof, { entry: { ...own }, hash: /=$/, checkpoint: { number: 1 } })
  // The log of an organization stays when its rows are gone.
  await db.querySuper('DELETE FROM organizations WHERE id = $1', [tenant.organization.id])
  const one = `${URL}/${theirs}`
  t.match((await request({ url: one, query: ofTenant, as: root })).json(), { entry: { id: theirs } })
  expectProblem(t, await request({ url: one, as: root }), { status: 404, code: 'audit_entry_not_found' })
  for (const url of [one, `${URL}/export`]) {
    expectProblem(t, await request({ url, as: user }), { status: 404, code: 'route_not_found' })
  }
})
