import t from 'tap'
import { ALL_ENTRIES } from '#test/support/audit.ts'
import { CLAMD_MAX_BYTES, MALWARE, startClamd, WITHOUT_CLAMD } from '#test/support/clamd.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, putContent } from '#test/support/files.ts'
import type { TestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { appendTo, createUpload } from '#test/support/uploads.ts'
import { start } from './scanned-files.ts'

const OPERATIONS = '/api/v1/operations/files'

async function metric({ request }: TestApp, name: string): Promise<number> {
  const { body } = await request({ url: '/metrics' })
  const line = body.split('\n').find((text) => text.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}

t.test('content is scanned before it can be read', { skip: WITHOUT_CLAMD }, async (t) => {
  const clamd = await startClamd(t)
  const test = await start(t, {
    APP_FILES__SCAN__ADDRESS: clamd.socket,
    APP_FILES__SCAN__TIMEOUT: '100s',
    APP_FILES__SCAN__MAX_SIZE: `${CLAMD_MAX_BYTES}B`,
  })
  const { app, db, request, signUp, scanNew } = test
  const [as, admin] = [await signUp(), await signUp({ role: 'admin' })]
  const tenant = await createOrganization(app)
  const eventsOf = async (id: string) =>
    (
      await db.query("SELECT type, data FROM events WHERE subject_id = $1 AND type ~ 'scan|quar|rel'", [id])
    ).map(({ type, data }) => [type, JSON.parse(String(data))])

  await t.test('what is clean', async (t) => {
    const file = await createFile(app, as)
    const put = await putContent(app, as, file, 'nothing bad')
    t.match(put.json(), { status: 'scanning', size: 11 })
    const early = await request({ url: `${file}/content`, as })
    expectProblem(t, early, { status: 409, code: 'file_being_scanned' })
    t.equal(early.headers['retry-after'], '2')
    for (const headers of [{ range: 'bytes=0-1' }, { 'if-none-match': '*' }])
      expectProblem(t, await request({ url: `${file}/content`, as, headers }), {
        status: 409,
        code: 'file_being_scanned',
      })
    const link = await request({ method: 'POST', url: `${file}/links`, as, payload: {} })
    expectProblem(t, link, { status: 409, code: 'file_being_scanned' })
    await scanNew()
    t.match((await request({ url: file, as })).json(), { status: 'ready' })
    t.equal((await request({ url: `${file}/content`, as })).body, 'nothing bad')
    t.equal(await metric(test, 'file_scans_total{outcome="clean"}'), 1)

    await putContent(app, as, file, MALWARE)
    t.match(
      (await request({ url: file, as })).json(),
      { status: 'scanning' },
      'another content is scanned again',
    )
    await scanNew()
    t.match((await request({ url: file, as })).json(), { status: 'quarantined' })
    await putContent(app, as, file, 'good again')
    await scanNew()
    t.equal((await request({ url: `${file}/content`, as })).body, 'good again')
  })

  await t.test('what is found goes to quarantine, and an admin may let it out', async (t) => {
    const options = { url: `${tenant.url}/files`, name: 'invoice.exe' }
    const file = await createFullFile(app, tenant.owner, MALWARE, options)
    const own = await createFullFile(app, as, MALWARE)
    await scanNew()
    for (const [owner, url] of [
      [tenant.owner, file],
      [as, own],
    ] as const) {
      t.match((await request({ url, as: owner })).json(), { status: 'quarantined' })
      const read = await request({ url: `${url}/content`, as: owner })
      expectProblem(t, read, { status: 403, code: 'file_quarantined' })
      const link = await request({ method: 'POST', url: `${url}/links`, as: owner, payload: {} })
      expectProblem(t, link, { status: 403, code: 'file_quarantined' })
    }
    const [id = '', ownId = ''] = [file, own].map((url) => url.split('/').at(-1))
    t.same(await eventsOf(id), [['files.quarantined', { reason: 'infected' }]])
    t.same(await eventsOf(ownId), [['files.quarantined', { reason: 'infected' }]])
    const told = await db.query('SELECT DISTINCT told_to FROM events WHERE subject_id = $1', [ownId])
    t.same(told, [{ told_to: as.user.id }], 'whose it is, is told, and nobody else')
    const found = { level: 'warn', scan: 'infected', finding: 'Test.Pattern.UNOFFICIAL' }
    const said = test
      .logs()
      .filter(({ msg, file_id }) => msg === 'a file was quarantined' && file_id === ownId)
    t.match(said, [{ ...found, space_id: as.user.id }])
    const audit = await request({
      url: `${'/api/v1/operations/audit-entries'}?action=operations.quarantineFile&limit=1`,
      as: admin,
    })
    t.match(audit.json().data, [{ target_type: 'file', target_id: ownId, details: '{"reason":"infected"}' }])

    const list = `${OPERATIONS}/quarantine`
    const first = (await request({ url: `${list}?limit=1`, as: admin })).json()
    t.match(first.data, [{ id: ownId, user_id: as.user.id, organization_id: null, reason: 'infected' }])
    const second = (await request({ url: `${list}?limit=1&cursor=${first.next_cursor}`, as: admin })).json()
    t.match(second.data, [
      {
        id,
        organization_id: tenant.organization.id,
        name: 'invoice.exe',
        finding: 'Test.Pattern.UNOFFICIAL',
      },
    ])
    expectProblem(t, await request({ url: list, as }), { status: 404, code: 'route_not_found' })

    for (const [released, owner] of [
      [id, tenant.owner],
      [ownId, as],
    ] as const) {
      const url = `${list}/${released}/release`
      expectProblem(t, await request({ method: 'POST', url, as: owner }), {
        status: 404,
        code: 'route_not_found',
      })
      const release = { method: 'POST', url, as: admin } as const
      expectProblem(t, await request({ ...release, payload: {} }), { status: 400, code: 'validation_failed' })
      const payload = { reason: 'A false alarm' }
      t.equal((await request({ ...release, payload })).statusCode, 204)
      const again = await request({ ...release, payload })
      expectProblem(t, again, { status: 404, code: 'file_not_quarantined' })
    }
    t.same((await eventsOf(id)).at(-1), ['files.released', {}])
    t.match(
      test.logs().filter(({ msg }) => msg === 'an admin let a file out of quarantine'),
      [id, ownId].map((file_id) => ({ level: 'warn', user_id: admin.user.id, file_id })),
    )
    t.equal((await request({ url: `${file}/content`, as: tenant.owner })).body, MALWARE)
    const entries = await db.query<{ actor_id: string; reason: string }>(
      `SELECT actor_id, details::jsonb ->> 'reason' AS reason FROM ${ALL_ENTRIES} e WHERE outcome = 'succeeded'
         AND action IN ('files.released', 'operations.releaseQuarantinedFile')`,
    )
    const entry = { actor_id: admin.user.id, reason: 'A false alarm' }
    t.same(entries, [entry, entry])
    await putContent(app, tenant.owner, file, MALWARE)
    t.match(
      (await request({ url: file, as: tenant.owner })).json(),
      { status: 'scanning' },
      'another content was not released',
    )
    await scanNew()
  })

  await t.test('who sent it is told by mail, and an organization by its administrators', async (t) => {
    const tenant = await createOrganization(app)
    const [member, leaver] = [await tenant.add('member'), await tenant.add('member')]
    const url = `${tenant.url}/files`
    await db.query('DELETE FROM mails')
    const told = async () => {
      await scanNew()
      const rows = await db.query<{ to_address: string; message: string }>(
        "DELETE FROM mails WHERE template = 'file-quarantined' RETURNING to_address, message::text",
      )
      return rows.map(({ to_address, message }) => [to_address, JSON.parse(message).data]).sort()
    }
    const dataOf = (file: string, shared: boolean) => ({
      ...{ file: file.split('/').at(-1), reason: 'infected', shared },
    })
    const own = await createFullFile(app, as, MALWARE)
    t.match(await told(), [[as.user.email, dataOf(own, false)]])
    const file = await createFullFile(app, member, MALWARE, { url })
    const both = [tenant.owner, member].map(({ user }) => user.email).sort()
    t.match(
      await told(),
      both.map((to) => [to, dataOf(file, true)]),
    )
    const left = await createFullFile(app, leaver, MALWARE, { url })
    await db.query('DELETE FROM memberships WHERE user_id = $1', [leaver.user.id])
    t.match(await told(), [[tenant.owner.user.email, dataOf(left, true)]], 'only members are told')
    await createFullFile(app, await tenant.createApiKey(), MALWARE, { url })
    t.equal((await told()).length, 1)
    await createFullFile(app, as, 'nothing bad')
    t.same(await told(), [])
  })

  await t.test('uploads and avatars are scanned too', async (t) => {
    const upload = await createUpload(app, as, MALWARE.length)
    t.equal((await appendTo(app, as, upload, { offset: 0, bytes: MALWARE })).statusCode, 204)
    const file = upload.replace('/uploads/', '/files/')
    t.match((await request({ url: file, as })).json(), { status: 'scanning' })
    const create = { method: 'POST', url: '/api/v1/files/content?name=a', as, payload: MALWARE } as const
    const whole = (await request(create)).json()
    t.match(whole, { status: 'scanning' })
    await request({ method: 'PUT', url: '/api/v1/users/me/avatar', as, payload: 'GIF89a' })
    const avatar = () => request({ url: '/api/v1/users/me/avatar', as })
    expectProblem(t, await avatar(), { status: 409, code: 'file_being_scanned' })
    await scanNew()
    for (const url of [file, `/api/v1/files/${whole.id}`])
      t.match((await request({ url, as })).json(), { status: 'quarantined' })
    t.equal((await avatar()).body, 'GIF89a')
  })

  await t.test('a link to what was shared before does not lead to what waits', async (t) => {
    const file = await createFullFile(app, as, 'to be shared')
    await scanNew()
    const { url } = (await request({ method: 'POST', url: `${file}/links`, as, payload: {} })).json()
    const path = url.replace(/^https?:\/\/[^/]+/, '')
    t.equal((await request({ url: path })).body, 'to be shared')
    await putContent(app, as, file, 'another')
    expectProblem(t, await request({ url: path }), { status: 404, code: 'invalid_link' })
    await scanNew()
  })

  await t.test('what is too large for the scanner is held', async (t) => {
    const largest = await createFullFile(app, tenant.owner, Buffer.alloc(CLAMD_MAX_BYTES), {
      url: `${tenant.url}/files`,
    })
    const file = await createFullFile(app, tenant.owner, Buffer.alloc(CLAMD_MAX_BYTES + 1), {
      url: `${tenant.url}/files`,
    })
    await scanNew()
    t.match((await request({ url: largest, as: tenant.owner })).json(), { status: 'ready' })
    t.match((await request({ url: file, as: tenant.owner })).json(), { status: 'quarantined' })
    const [held] = (await request({ url: `${OPERATIONS}/quarantine`, as: admin })).json().data
    t.match(held, { reason: 'held', finding: 'too_large' })
    t.same(await eventsOf(held.id), [['files.quarantined', { reason: 'held' }]])
  })

  await t.test('an owner deletes what is in quarantine', async (t) => {
    const file = await createFullFile(app, as, MALWARE)
    await scanNew()
    t.equal((await request({ method: 'DELETE', url: `${file}?permanently=true`, as })).statusCode, 204)
  })

  await t.test('while the scanner is away, files wait for it', async (t) => {
    const file = await createFullFile(app, as, 'waits')
    await clamd.kill()
    await scanNew()
    for (let attempt = 0; attempt < 5; attempt++) await test.scanWaiting()
    t.match((await request({ url: file, as })).json(), { status: 'scanning' })
    t.ok((await metric(test, 'file_scan_oldest_age_seconds')) > 60)
    t.ok((await metric(test, 'file_scans_total{outcome="failed"}')) >= 5)
    await clamd.restart()
    await test.scanWaiting()
    t.equal((await request({ url: `${file}/content`, as })).body, 'waits')
    t.equal(await metric(test, 'file_scan_oldest_age_seconds'), 0)
  })
})
