import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import t from 'tap'
import { deleteAllExpired } from '#lib/cleanup/expired-rows.ts'
import { expiry } from '#services/uploads/expiry.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { keysOf, sweep } from '#test/support/files.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { appendTo, createUpload, headOf, named, TUS } from '#test/support/uploads.ts'

const URL = '/api/v1/uploads'
const MAX = 300_000

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

t.test('uploads that can be continued', async (t) => {
  const directory = t.testdir()
  const settings = {
    APP_FILES__DIRECTORY: directory,
    APP_FILES__MAX_SIZE: `${MAX}B`,
    APP_FILES__QUOTA_PER_USER: '1MiB',
    APP_ROLE: 'web',
  }
  const { app, db, request, signUp } = await createTestApp(t, settings)
  const used = async (as: TestUser) => (await request({ url: '/api/v1/files/usage', as })).json().bytes
  const fileOf = async (as: TestUser, upload: string) =>
    request({ url: upload.replace('/uploads/', '/files/'), as })
  const contentOf = async (as: TestUser, upload: string) =>
    (await request({ url: `${upload.replace('/uploads/', '/files/')}/content`, as })).rawPayload
  const post = (as: TestUser, headers: Record<string, string>, payload?: string) =>
    app.inject({ method: 'POST', url: URL, headers: { ...as.headers, ...headers }, payload: payload ?? '' })

  await t.test('a file that comes in parts', async (t) => {
    const as = await signUp()
    const bytes = randomBytes(100_000)
    const upload = await createUpload(app, as, bytes.length, { name: 'café.bin' })
    t.match((await fileOf(as, upload)).json(), { name: 'café.bin', status: 'pending', size: null })
    t.equal(await used(as), bytes.length, 'its space is taken before its first byte')
    for (const [offset, end] of [
      [0, 1],
      [1, 60_000],
      [60_000, 60_000],
    ] as const) {
      const part = await appendTo(app, as, upload, { offset, bytes: bytes.subarray(offset, end) })
      t.match(part, { statusCode: 204, headers: { ...TUS, 'upload-offset': String(end) } })
    }
    const head = await headOf(app, as, upload)
    t.match(head, { statusCode: 200, body: '' })
    t.match(head.headers, {
      'cache-control': 'no-store',
      'upload-offset': '60000',
      'upload-length': '100000',
      'upload-complete': '?0',
      'upload-expires': / GMT$/,
      ...named('café.bin'),
    })
    t.match((await request({ url: upload, as })).json(), { offset: 60_000, length: 100_000, complete: false })
    const last = await appendTo(app, as, upload, { offset: 60_000, bytes: bytes.subarray(60_000) })
    t.match(last, { statusCode: 204, headers: { 'upload-offset': '100000', 'upload-complete': '?1' } })
    t.match((await fileOf(as, upload)).json(), { status: 'ready', size: 100_000, sha256: sha256(bytes) })
    t.ok(bytes.equals(await contentOf(as, upload)))
    t.match((await headOf(app, as, upload)).headers, { 'upload-offset': '100000', 'upload-length': '100000' })
    t.match(await appendTo(app, as, upload, { offset: 100_000, bytes: '' }), { statusCode: 204 })
    const more = await appendTo(app, as, upload, { offset: 100_000, bytes: 'x' })
    expectProblem(t, more, { status: 400, code: 'invalid_upload' })
    t.equal(await used(as), bytes.length)
    t.match(await request({ method: 'DELETE', url: upload, as }), { statusCode: 204 })
    t.match((await fileOf(as, upload)).json(), { status: 'ready' }, 'the file stays')
  })

  await t.test('bytes with the creation, none at all, and a length that is said later', async (t) => {
    const as = await signUp()
    const type = { 'content-type': 'application/offset+octet-stream' }
    const whole = await post(as, { ...TUS, ...type, 'upload-length': '5' }, 'hello')
    t.match(whole, { statusCode: 201, headers: { 'upload-offset': '5' } })
    t.match(whole.json(), { offset: 5, length: 5, complete: true })
    t.match((await fileOf(as, String(whole.headers.location))).json(), {
      name: 'upload',
      sha256: sha256('hello'),
    })
    const empty = await post(as, { ...TUS, 'upload-length': '0' })
    t.match(empty.json(), { offset: 0, length: 0, complete: true })
    t.equal((await contentOf(as, String(empty.headers.location))).length, 0)

    const later = await createUpload(app, as, undefined)
    t.match((await headOf(app, as, later)).headers, {
      'upload-defer-length': '1',
      'upload-length': undefined,
    })
    await appendTo(app, as, later, { offset: 0, bytes: Buffer.alloc(90_000) })
    t.ok((await used(as)) >= 90_000, 'the space grows with it')
    const said = { 'upload-length': '90001' }
    await appendTo(app, as, later, { offset: 90_000, bytes: '', headers: said })
    t.match((await headOf(app, as, later)).headers, said)
    const other = await appendTo(app, as, later, {
      offset: 90_000,
      bytes: '',
      headers: { 'upload-length': '1' },
    })
    expectProblem(t, other, { status: 400, code: 'invalid_upload' })
    t.match(await appendTo(app, as, later, { offset: 90_000, bytes: 'x' }), { statusCode: 204 })
    t.match((await fileOf(as, later)).json(), { size: 90_001 })
  })

  await t.test('what is wrong is refused, and changes nothing', async (t) => {
    const as = await signUp()
    const upload = await createUpload(app, as, 10)
    const refuses = async (
      part: Parameters<typeof appendTo>[3],
      problem: { status: number; code: string },
    ) => {
      expectProblem(t, await appendTo(app, as, upload, part), problem)
      t.equal((await headOf(app, as, upload)).headers['upload-offset'], '0')
    }
    const invalid = { status: 400, code: 'invalid_upload' }
    await refuses({ offset: 3, bytes: 'abc' }, { status: 409, code: 'upload_offset_mismatch' })
    await refuses({ offset: 0, bytes: 'more than ten' }, invalid)
    for (const offset of ['-1', '1e3', '0x1', '01', '', '9999999999999999'])
      await refuses({ offset: 0, bytes: 'a', headers: { 'upload-offset': offset } }, invalid)
    await refuses(
      { offset: 0, bytes: 'a', headers: { 'content-type': 'text/plain' } },
      { status: 415, code: 'unsupported_media_type' },
    )
    const version = { status: 412, code: 'tus_version_not_supported' }
    await refuses({ offset: 0, bytes: 'a', headers: { 'tus-resumable': '0.2.2' } }, version)
    t.equal((await post(as, { 'tus-resumable': '2.0.0' })).headers['tus-version'], '1.0.0')
    expectProblem(t, await post(as, {}), invalid)
    expectProblem(t, await post(as, TUS), invalid)
    expectProblem(t, await post(as, { ...TUS, 'upload-length': '1', 'upload-defer-length': '1' }), invalid)
    for (const metadata of [
      'filename',
      'filename YQ==,filename YQ==',
      'filename !',
      'filename /w==',
      'a b c',
    ])
      expectProblem(t, await post(as, { ...TUS, 'upload-length': '1', 'upload-metadata': metadata }), invalid)
    for (const name of ['../etc/passwd', 'a\0b', 'gnp\u202e.exe', 'x'.repeat(256)])
      expectProblem(t, await post(as, { ...TUS, 'upload-length': '1', ...named(name) }), invalid)
    const large = await post(as, { ...TUS, 'upload-length': String(MAX + 1) })
    expectProblem(t, large, { status: 413, code: 'file_too_large' })
    const without = await createUpload(app, as, undefined)
    const chunked = await app.inject({
      method: 'PATCH',
      url: without,
      headers: {
        ...as.headers,
        ...TUS,
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
        'transfer-encoding': 'chunked',
      },
      payload: Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(16_000))),
    })
    expectProblem(t, chunked, { status: 413, code: 'file_too_large' })
    t.equal((await headOf(app, as, without)).headers['upload-offset'], '288000', 'what fits counts')
  })

  await t.test('a checksum decides whether a part counts', async (t) => {
    const as = await signUp()
    const upload = await createUpload(app, as, 6)
    const digest = (text: string, algorithm: string) =>
      `${algorithm} ${createHash(algorithm).update(text).digest('base64')}`
    const send = (offset: number, bytes: string, checksum: string) =>
      appendTo(app, as, upload, { offset, bytes, headers: { 'upload-checksum': checksum } })
    const wrong = await send(0, 'abc', digest('abd', 'sha256'))
    expectProblem(t, wrong, { status: 460, code: 'upload_checksum_mismatch' })
    for (const checksum of ['md5 YQ==', 'sha256 YQ==', 'sha256'])
      expectProblem(t, await send(0, 'abc', checksum), { status: 400, code: 'invalid_upload' })
    t.equal((await headOf(app, as, upload)).headers['upload-offset'], '0')
    t.match(await send(0, 'xyz', digest('xyz', 'sha256')), { statusCode: 204 })
    t.match(await send(3, 'abc', digest('abc', 'sha1')), { statusCode: 204 })
    t.match((await fileOf(as, upload)).json(), { sha256: sha256('xyzabc') })
  })

  await t.test('space is taken when an upload begins, and free when it is given up or expires', async (t) => {
    const as = await signUp()
    const uploads = await Promise.all(
      Array.from({ length: 10 }, () => post(as, { ...TUS, 'upload-length': '262144' })),
    )
    const refused = uploads.filter(({ statusCode }) => statusCode !== 201)
    t.equal(refused.length, 6)
    for (const answer of refused) expectProblem(t, answer, { status: 409, code: 'storage_quota_reached' })
    const [first = '', second = ''] = uploads
      .filter(({ statusCode }) => statusCode === 201)
      .map(({ headers }) => String(headers.location))
    await appendTo(app, as, first, { offset: 0, bytes: 'some bytes' })
    await appendTo(app, as, second, { offset: 0, bytes: 'some bytes' })
    const before = (await keysOf(app)).length
    t.match(await request({ method: 'DELETE', url: first, headers: TUS, as }), { statusCode: 204 })
    expectProblem(t, await appendTo(app, as, first, { offset: 10, bytes: 'x' }), {
      status: 404,
      code: 'upload_not_found',
    })
    t.match(await headOf(app, as, first), { statusCode: 404 })
    t.match(await fileOf(as, first), { statusCode: 404 })
    t.equal(await used(as), 3 * 262_144)
    await db.query("UPDATE uploads SET expires_at = now() - interval '1 s' WHERE space_id = $1", [as.user.id])
    t.match(await headOf(app, as, second), { statusCode: 404 })
    await deleteAllExpired(app.db, expiry, new AbortController().signal)
    t.equal(await used(as), 0)
    await db.query("UPDATE stored_objects SET expires_at = now() WHERE state = 'doomed'")
    await sweep(app)
    t.equal((await keysOf(app)).length, before - 2, 'no byte is left')
    t.same(
      await db.query('SELECT 1 FROM object_appends a JOIN stored_objects o USING (key) WHERE space_id = $1', [
        as.user.id,
      ]),
      [],
    )
  })

  await t.test('the same by the draft of the IETF', async (t) => {
    const as = await signUp()
    const once = await post(
      as,
      { 'upload-complete': '?1', 'content-type': 'application/partial-upload' },
      'at once',
    )
    t.match(once, {
      statusCode: 201,
      headers: { 'upload-complete': '?1', 'upload-limit': `max-size=${MAX}` },
    })
    const begun = await post(as, { 'upload-complete': '?0', ...named('draft.txt') })
    const upload = String(begun.headers.location)
    const patch = (offset: number, bytes: string, complete: string) =>
      app.inject({
        method: 'PATCH',
        url: upload,
        headers: {
          ...as.headers,
          'upload-offset': String(offset),
          'upload-complete': complete,
          'content-type': 'application/partial-upload',
        },
        payload: bytes,
      })
    t.match(await patch(0, 'a draft', '?0'), { statusCode: 204, headers: { 'upload-complete': '?0' } })
    expectProblem(t, await patch(1, 'x', '?0'), { status: 409, code: 'upload_offset_mismatch' })
    expectProblem(t, await patch(7, 'x', 'true'), { status: 400, code: 'invalid_upload' })
    const head = await app.inject({ method: 'HEAD', url: upload, headers: as.headers })
    t.match(head.headers, { 'upload-offset': '7', 'upload-complete': '?0', 'cache-control': 'no-store' })
    t.match(await patch(7, ', done', '?1'), { statusCode: 204, headers: { 'upload-complete': '?1' } })
    t.match((await fileOf(as, upload)).json(), { name: 'draft.txt', sha256: sha256('a draft, done') })
  })

  await t.test('OPTIONS says what there is', async (t) => {
    const answer = await app.inject({ method: 'OPTIONS', url: URL })
    t.match(answer, { statusCode: 204, headers: { allow: /POST/, 'tus-version': '1.0.0' } })
    t.match(answer.headers, { 'tus-extension': /creation-defer-length/, 'tus-max-size': String(MAX) })
  })

  await t.test('another instance goes on, while the first one is still at it', async (t) => {
    const as = await signUp()
    const other = await startInstance(t, db, settings)
    const upload = await createUpload(app, as, 9)
    const body = new Readable({ read: () => undefined })
    body.push('abc')
    // Its connection is broken when it is fenced off.
    const headers = { 'transfer-encoding': 'chunked' }
    const first = appendTo(app, as, upload, { offset: 0, bytes: body, headers }).then(
      ({ statusCode }) => statusCode,
      () => 'broken',
    )
    const isHeld = 'SELECT 1 FROM object_appends WHERE lease_until > now() AND received = 3'
    await eventually(async () => (await db.query(isHeld)).length === 1)
    const head = await headOf(other, as, upload)
    t.match(head, { statusCode: 200, headers: { 'upload-offset': '3' } })
    t.match(await appendTo(other, as, upload, { offset: 3, bytes: 'def' }), { statusCode: 204 })
    body.push('xyz')
    body.push(null)
    t.equal(await first, 'broken', 'the first one is fenced off')
    t.match(await appendTo(app, as, upload, { offset: 6, bytes: 'ghi' }), { statusCode: 204 })
    t.match((await fileOf(as, upload)).json(), { sha256: sha256('abcdefghi') })
    t.ok(Buffer.from('abcdefghi').equals(await contentOf(as, upload)))
  })

  await t.test('of another user there is nothing', async (t) => {
    const [as, stranger] = [await signUp(), await signUp()]
    const upload = await createUpload(app, as, 3)
    t.match(await headOf(app, stranger, upload), { statusCode: 404 })
    const problem = { status: 404, code: 'upload_not_found' }
    expectProblem(t, await appendTo(app, stranger, upload, { offset: 0, bytes: 'abc' }), problem)
    expectProblem(t, await request({ method: 'DELETE', url: upload, as: stranger }), problem)
    t.match(await app.inject({ method: 'HEAD', url: upload, headers: TUS }), { statusCode: 401 })
  })
})
