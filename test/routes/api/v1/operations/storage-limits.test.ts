import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, putContent } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const LIMITS = '/api/v1/operations/files/limits'

t.test('how much space admins let users and organizations have', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    APP_FILES__DIRECTORY: t.testdir(),
    APP_FILES__QUOTA_PER_USER: '8KiB',
    APP_FILES__QUOTA_PER_ORGANIZATION: '16KiB',
  })
  const [as, admin, tenant] = [await signUp(), await signUp({ role: 'admin' }), await createOrganization(app)]
  const change = (id: string, max_bytes: number | null) =>
    request({
      method: 'PATCH',
      url: `${LIMITS}/${id}`,
      as: admin,
      payload: { max_bytes, reason: 'Ticket 4711' },
    })
  const usage = async () => (await request({ url: '/api/v1/files/usage', as })).json()

  const { id } = as.user
  const own = { id, kind: 'user', bytes: 0, max_bytes: 8192, is_default: true }
  t.same((await request({ url: `${LIMITS}/${id}`, as: admin })).json(), own)
  t.match((await request({ url: `${LIMITS}/${tenant.organization.id}`, as: admin })).json(), {
    kind: 'organization',
    max_bytes: 16_384,
  })

  await t.test('more', async (t) => {
    t.same((await change(id, 20_000)).json(), { ...own, max_bytes: 20_000, is_default: false })
    t.same(await usage(), { bytes: 0, max_bytes: 20_000 })
    const file = await createFullFile(app, as, Buffer.alloc(20_000))
    t.same(await usage(), { bytes: 20_000, max_bytes: 20_000 })
    const other = await createFile(app, as)
    expectProblem(t, await putContent(app, as, other, 'x'), { status: 409, code: 'storage_quota_reached' })
    await request({ method: 'DELETE', url: `${file}?permanently=true`, as })
  })

  await t.test('less, also for what comes in chunks', async (t) => {
    await change(id, 5000)
    const file = await createFile(app, as)
    const refused = { status: 409, code: 'storage_quota_reached' }
    expectProblem(t, await putContent(app, as, file, Buffer.alloc(5001)), refused)
    t.equal((await putContent(app, as, file, Buffer.alloc(5000))).statusCode, 200)
    await change(id, 0)
    expectProblem(t, await putContent(app, as, file, 'x'), refused)
    t.equal((await request({ url: `${file}/content`, as })).rawPayload.length, 5000, 'nothing is deleted')
  })

  await t.test("the service's own again", async (t) => {
    t.match((await change(id, null)).json(), { max_bytes: 8192, is_default: true })
    t.match(await usage(), { max_bytes: 8192 })
  })

  await t.test('an upload whose length is not known', async (t) => {
    const org = tenant.organization.id
    await change(org, 200_000)
    const file = await createFile(app, tenant.owner, { url: `${tenant.url}/files` })
    const headers = { 'transfer-encoding': 'chunked' }
    t.equal((await putContent(app, tenant.owner, file, Buffer.alloc(150_000), headers)).statusCode, 200)
    await change(org, 100_000)
    const again = await putContent(app, tenant.owner, file, Buffer.alloc(150_000), headers)
    expectProblem(t, again, { status: 409, code: 'storage_quota_reached' })
  })

  await t.test('who may, what is recorded, and what goes with its owner', async (t) => {
    expectProblem(t, await request({ url: `${LIMITS}/${id}`, as }), { status: 404, code: 'route_not_found' })
    expectProblem(t, await change(uuidv7(), 1), { status: 404, code: 'space_not_found' })
    expectProblem(t, await change(id, -1), { status: 400, code: 'validation_failed' })
    const url = '/api/v1/operations/audit-entries?action=operations.updateStorageLimit&limit=1'
    t.match((await request({ url, as: admin })).json().data, [
      {
        actor_id: admin.user.id,
        target_type: 'organization',
        details: '{"reason":"Ticket 4711","max_bytes":100000}',
      },
    ])
    await change(id, 7)
    await request({ method: 'DELETE', url: `/api/v1/users/${id}`, as: admin })
    t.same(await db.query('SELECT FROM storage_usage WHERE space_id = $1', [id]), [])
  })
})
