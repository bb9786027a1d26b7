import t from 'tap'
import { ALL_ENTRIES } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

for (const cache of ['true', 'false']) {
  t.test(`a refusal stands in the log that it belongs to, auth.cache = ${cache}`, async (t) => {
    // Without it nobody is remembered, as behind a pooler.
    const { app, db, request, signUp } = await borrowTestApp(t, { APP_ROLE: 'web', APP_AUTH__CACHE: cache })
    const tenant = await createOrganization(app)
    const org = tenant.organization.id
    const admin = await signUp({ role: 'admin' })
    const [member, stranger] = [await tenant.add('member'), await signUp()]
    await tenant.add('member', admin)
    for (const as of [member, admin]) {
      const answer = await request({ method: 'PATCH', url: tenant.url, payload: { name: 'Mine' }, as })
      expectProblem(t, answer, { status: 403, code: 'forbidden' })
    }
    const url = `/api/v1/users/${member.user.id}`
    expectProblem(t, await request({ method: 'DELETE', url, as: stranger }), {
      status: 403,
      code: 'forbidden',
    })
    const denied = await db.query(
      `SELECT nullif(org_id, $1) AS org, actor_id, actor_kind FROM ${ALL_ENTRIES} e WHERE outcome = 'denied' ORDER BY id`,
      ['00000000-0000-0000-0000-000000000000'],
    )
    t.strictSame(denied, [
      { org, actor_id: member.user.id, actor_kind: 'user' },
      // Refused as a member: what admins of the service do is another thing.
      { org, actor_id: admin.user.id, actor_kind: 'user' },
      { org: null, actor_id: stranger.user.id, actor_kind: 'user' },
    ])
  })
}

t.test('a refusal that cannot be recorded is one all the same, and the log says so', async (t) => {
  const { app, db, logs, request } = await createTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const member = await tenant.add('member')
  await db.query(
    `CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$`,
  )
  await db.query('CREATE TRIGGER broken BEFORE INSERT ON audit_intake FOR EACH ROW EXECUTE FUNCTION break()')
  const answer = await request({ method: 'DELETE', url: tenant.url, as: member })
  expectProblem(t, answer, { status: 403, code: 'forbidden' })
  t.match(
    logs().filter(({ msg }) => msg === 'a refusal could not be recorded'),
    [{ level: 'warn', operation: 'deleteOrganization', err: { type: 'DatabaseError' } }],
  )
})
