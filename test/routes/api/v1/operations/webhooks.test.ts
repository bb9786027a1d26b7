import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const WEBHOOKS = '/api/v1/operations/webhooks'

t.test('webhooks that fail, of all organizations', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  const admin = await signUp({ role: 'admin' })
  const [one, two] = [await createOrganization(app), await createOrganization(app)]
  const [works, fails] = [await one.createWebhook(), await one.createWebhook()]
  const [gone, asked] = [await two.createWebhook(), await two.createWebhook()]
  const set = (id: string, values: string) =>
    db.query(`UPDATE webhook_endpoints SET ${values} WHERE id = $1`, [id])
  await set(
    fails.id,
    "url = 'https://me:pass@hooks.example.com:8443/T0KEN?key=s3cret', first_failed_at = now(), failed_attempts = 7",
  )
  await set(gone.id, "first_failed_at = now(), failed_attempts = 1, disabled_reason = 'gone'")
  await set(asked.id, "disabled_reason = 'requested'")

  const ask = (query = '') => request({ url: `${WEBHOOKS}${query}`, as: admin })
  const idsOf = async (query: string) => (await ask(query)).json().data.map(({ id }: { id: string }) => id)

  const all = await ask()
  t.match(all.json(), {
    data: [
      { id: asked.id, status: 'disabled', disabled_reason: 'requested', failing_since: null },
      { id: gone.id, status: 'disabled', disabled_reason: 'gone', failed_attempts: 1 },
      {
        id: fails.id,
        organization_id: one.organization.id,
        organization_name: one.organization.name,
        host: 'hooks.example.com:8443',
        status: 'failing',
        disabled_reason: null,
        failing_since: /Z$/,
        failed_attempts: 7,
      },
    ],
    next_cursor: null,
  })
  t.notMatch(all.body, /T0KEN|s3cret|pass|me:/, 'secrets of its URL stay with its members')
  t.notMatch(all.body, works.id)

  t.same(await idsOf('?status=failing'), [fails.id])
  t.same(await idsOf('?status=disabled'), [asked.id, gone.id])
  t.same(await idsOf(`?organization_id=${one.organization.id.toUpperCase()}`), [fails.id])
  t.same(await idsOf(`?organization_id=${uuidv7()}`), [])
  const seen: string[] = []
  for (let query = '?limit=1'; query !== ''; ) {
    const { data, next_cursor } = (await ask(query)).json()
    seen.push(...data.map(({ id }: { id: string }) => id))
    query = next_cursor === null ? '' : `?limit=1&cursor=${next_cursor}`
  }
  t.same(seen, [asked.id, gone.id, fails.id])

  const purge = `/api/v1/operations/organizations/${two.organization.id}`
  for (const act of ['suspend', 'purge']) {
    t.same(await idsOf(''), [asked.id, gone.id, fails.id], 'what a suspended organization has is kept')
    await request({ method: 'POST', url: `${purge}/${act}`, as: admin, payload: { reason: 'Ticket 4711' } })
  }
  t.same(await idsOf(''), [fails.id], 'nobody can enable what is deleted')

  expectProblem(t, await request({ url: WEBHOOKS, as: one.owner }), { status: 404, code: 'route_not_found' })
  expectProblem(t, await ask('?status=active'), { status: 400, code: 'validation_failed' })
  expectProblem(t, await ask('?cursor=nonsense'), { status: 400, code: 'invalid_cursor' })
})
