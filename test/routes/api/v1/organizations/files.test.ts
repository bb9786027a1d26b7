import t from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, putContent } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { TUS } from '#test/support/uploads.ts'

t.test("an organization's files", async (t) => {
  const { app, db, request } = await createTestApp(t)
  const tenant = await createOrganization(app)
  const as = await tenant.add('member')
  const url = `${tenant.url}/files`
  const file = await createFullFile(app, as, 'ours', { url })

  await t.test('belong to all members, and to nobody else', async (t) => {
    const { owner } = tenant
    t.match((await request({ url: file, as: owner })).json(), { created_by: as.user.id, size: 4 })
    t.equal((await request({ url: `${file}/content`, as: owner })).body, 'ours')
    t.match((await putContent(app, owner, file, 'ours too')).json(), { size: 8, created_by: as.user.id })
    t.match((await request({ url: `${url}/usage`, as })).json(), { bytes: 4096 })
    t.same(
      (await request({ url: '/api/v1/files', as })).json().data,
      [],
      'they are not in the own files of members',
    )
    const id = file.split('/').at(-1)
    const notMine = { status: 404, code: 'file_not_found' }
    expectProblem(t, await request({ url: `/api/v1/files/${id}/content`, as }), notMine)
    const mine = await createFullFile(app, as, 'mine')
    const through = `${url}/${mine.split('/').at(-1)}`
    for (const path of [through, `${through}/content`])
      expectProblem(t, await request({ url: path, as }), notMine)
    expectProblem(t, await putContent(app, as, through, 'stolen'), notMine)

    const other = await createOrganization(app)
    expectProblem(t, await request({ url: `${file}/content`, as: other.owner }), {
      status: 404,
      code: 'organization_not_found',
    })
    const across = `${other.url}/files/${id}`
    for (const path of [across, `${across}/content`])
      expectProblem(t, await request({ url: path, as: other.owner }), notMine)
  })

  await t.test('keys need their scopes, and leave the author null', async (t) => {
    const writer = await tenant.createApiKey({ scopes: ['files:write'] })
    const reader = await tenant.createApiKey({ scopes: ['files:read'] })
    const made = await createFile(app, writer, { url })
    t.match((await putContent(app, writer, made, 'by a key')).json(), { created_by: null })
    expectProblem(t, await putContent(app, reader, made, 'x'), { status: 403, code: 'insufficient_scope' })
    const read = await app.inject({ url: `${made}/content`, headers: reader.headers })
    t.equal(read.body, 'by a key')
    const link = await app.inject({
      method: 'POST',
      url: `${made}/links`,
      headers: reader.headers,
      payload: {},
    })
    expectProblem(t, link, { status: 403, code: 'insufficient_scope' })
    const own = await app.inject({ url: '/api/v1/files', headers: reader.headers })
    expectProblem(t, own, { status: 403, code: 'api_key_not_allowed' })
  })

  await t.test('come with their content, in one request', async (t) => {
    const writer = await tenant.createApiKey({ scopes: ['files:write'] })
    await db.query('DELETE FROM events')
    const create = (headers: Record<string, string>) =>
      app.inject({ method: 'POST', url: `${url}/content?name=one.txt`, headers, payload: 'at once' })
    const made = await create(writer.headers)
    t.equal(made.statusCode, 201, made.body)
    t.match(made.json(), { name: 'one.txt', status: 'ready', size: 7, created_by: null })
    t.equal(made.headers.location, `${url}/${made.json().id}`)
    t.same(await db.query('SELECT type, subject_id FROM events ORDER BY id'), [
      { type: 'files.created', subject_id: made.json().id },
      { type: 'files.written', subject_id: made.json().id },
    ])
    const reader = await tenant.createApiKey({ scopes: ['files:read'] })
    expectProblem(t, await create(reader.headers), { status: 403, code: 'insufficient_scope' })
    const upload = { ...TUS, 'upload-length': '2', 'content-type': 'application/offset+octet-stream' }
    const headers = { ...writer.headers, ...upload }
    await app.inject({ method: 'POST', url: `${tenant.url}/uploads`, headers, payload: 'ab' })
    t.equal((await db.query("SELECT 1 FROM events WHERE type = 'files.written'")).length, 2)
  })

  await t.test('outlive who brought them, and end with the organization', async (t) => {
    const leaver = await tenant.add('member')
    const left = await createFullFile(app, leaver, 'left behind', { url })
    const link = await request({ method: 'POST', url: `${left}/links`, payload: {}, as: leaver })
    const path = link.json().url.replace(/^https?:\/\/[^/]+/, '')
    await db.query('DELETE FROM users WHERE id = $1', [leaver.user.id])
    t.match((await request({ url: left, as })).json(), { created_by: null, size: 11 })
    t.equal((await request({ url: path })).statusCode, 200)
    await db.query('UPDATE organizations SET suspended_at = now() WHERE id = $1', [tenant.organization.id])
    expectProblem(t, await request({ url: path }), { status: 404, code: 'invalid_link' })
    await db.query('DELETE FROM organizations WHERE id = $1', [tenant.organization.id])
    const objects = await db.query("SELECT 1 FROM stored_objects WHERE space_id = $1 AND state <> 'doomed'", [
      tenant.organization.id,
    ])
    t.same(objects, [], 'the sweep takes the bytes')
    const counted = 'SELECT bytes FROM storage_usage WHERE space_id = $1'
    t.same(await db.query(counted, [tenant.organization.id]), [])
  })
})
