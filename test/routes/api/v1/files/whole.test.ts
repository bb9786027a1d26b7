import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { keysOf, sweep } from '#test/support/files.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { exchange, listen, responsesIn } from '#test/support/raw-http.ts'
import { headOf, named, TUS } from '#test/support/uploads.ts'

const URL = '/api/v1/files/content'
const MAX = 200_000

t.test('files that come with their content, in one request', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    APP_FILES__DIRECTORY: t.testdir(),
    APP_FILES__MAX_SIZE: `${MAX}B`,
    APP_FILES__QUOTA_PER_USER: '500KiB',
    APP_ROLE: 'web',
  })
  const port = await listen(app)
  const used = async (as: TestUser) => (await request({ url: '/api/v1/files/usage', as })).json().bytes
  const listed = async (as: TestUser) => (await request({ url: '/api/v1/files', as })).json().data
  const post = (
    as: TestUser,
    payload: Buffer | string | Readable,
    { query = 'name=a', ...headers }: Record<string, string> = {},
  ) => app.inject({ method: 'POST', url: `${URL}?${query}`, headers: { ...as.headers, ...headers }, payload })

  await t.test('created, read, replaced, listed', async (t) => {
    const as = await signUp()
    const bytes = randomBytes(150_000)
    const options = { query: 'name=caf%C3%A9%20%26.bin', 'content-type': 'text/html' }
    // What is sent in this process is freed.
    const made = await post(as, Buffer.from(bytes), options)
    t.equal(made.statusCode, 201, made.body)
    t.match(made.json(), {
      name: 'café &.bin',
      purpose: 'attachment',
      status: 'ready',
      media_type: 'application/octet-stream',
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      created_by: as.user.id,
      deleted_at: null,
    })
    const url = `/api/v1/files/${made.json().id}`
    t.match(made.headers, { location: url, etag: `"${made.json().updated_at}"` })
    t.ok((await request({ url: `${url}/content`, as })).rawPayload.equals(bytes))
    t.same(await listed(as), [made.json()])
    t.equal(await used(as), bytes.length)
    const put = { method: 'PUT', url: `${url}/content`, headers: as.headers, payload: 'another' } as const
    t.match((await app.inject(put)).json(), { size: 7 })
    await sweep(app)
    t.equal((await keysOf(app)).length, 1)
    await request({ method: 'DELETE', url: `${url}?permanently=true`, as })
    t.match((await post(as, '')).json(), { size: 0, status: 'ready', media_type: 'text/plain' })
    const chunks = Readable.from(Array.from({ length: 10 }, () => Buffer.alloc(10_000, 'x')))
    t.match((await post(as, chunks, { 'transfer-encoding': 'chunked' })).json(), { size: 100_000 })
  })

  await t.test('what is wrong is refused, and leaves nothing', async (t) => {
    const as = await signUp()
    for (const query of [
      '',
      'name=',
      'name=..%2Fetc',
      'name=a%0D%0Ab',
      'name=gnp%E2%80%AE.exe',
      'name=a&a=b',
    ])
      expectProblem(t, await post(as, 'x', { query }), { status: 400, code: 'validation_failed' })
    const form = { 'content-type': 'multipart/form-data; boundary=a' }
    expectProblem(t, await post(as, 'x', form), { status: 415, code: 'unsupported_media_type' })
    const large = { status: 413, code: 'file_too_large' }
    expectProblem(t, await post(as, Buffer.alloc(MAX + 1)), large)
    const chunks = Readable.from([Buffer.alloc(MAX), Buffer.alloc(1)])
    expectProblem(t, await post(as, chunks, { 'transfer-encoding': 'chunked' }), large)
    const head = `POST ${URL}?name=a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`
    t.same(
      responsesIn(await exchange(port, head)).map(({ status }) => status),
      [401],
      'strangers are not asked for the body',
    )
    t.equal((await request({ url: URL, as })).statusCode, 405)
    await sweep(app)
    t.same(await listed(as), [])
    t.equal(await used(as), 0)
  })

  await t.test('a cut leaves nothing', async (t) => {
    const as = await signUp()
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    const head = `POST ${URL}?name=a HTTP/1.1\r\nHost: a\r\nAuthorization: ${as.headers.authorization}\r\n`
    socket.write(`${head}Content-Length: 100000\r\n\r\n${'x'.repeat(60_000)}`)
    await eventually(async () => (await used(as)) === 100_000)
    socket.destroy()
    await eventually(async () => (await used(as)) === 0)
    t.same(await listed(as), [])
  })

  await t.test('a quota is never exceeded, also by many at once', async (t) => {
    const as = await signUp()
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(as, Buffer.alloc(96_000))))
    const stored = answers.filter(({ statusCode }) => statusCode === 201).length
    t.ok(stored >= 1 && stored <= 5, `${stored} of 12 have room`)
    for (const answer of answers.filter(({ statusCode }) => statusCode !== 201))
      expectProblem(t, answer, { status: 409, code: 'storage_quota_reached' })
    t.equal(await used(as), stored * 96_000)
    t.equal((await listed(as)).length, stored)
  })

  await t.test('once, with an Idempotency-Key', async (t) => {
    const as = await signUp()
    const headers = { 'idempotency-key': uuidv7() }
    const answers = await Promise.all(Array.from({ length: 4 }, () => post(as, 'content', headers)))
    for (const answer of answers) t.match(answer, { statusCode: 201, body: answers[0]?.body })
    t.match(await post(as, 'content', headers), { headers: { 'idempotency-replayed': 'true' } })
    const reused = { status: 409, code: 'idempotency_key_reused' }
    expectProblem(t, await post(as, 'another content', headers), reused)
    expectProblem(t, await post(as, 'content', { ...headers, query: 'name=b' }), reused)
    t.equal((await listed(as)).length, 1)
    // What came for nothing goes after the answer.
    await eventually(async () => (await used(as)) === 4096)
    t.same(await db.query("SELECT 1 FROM stored_objects WHERE state = 'writing'"), [])

    const first = responsesIn(
      await exchange(
        port,
        `POST ${URL}?name=a HTTP/1.1\r\nHost: a\r\nAuthorization: ${as.headers.authorization}\r\n` +
          `Idempotency-Key: ${headers['idempotency-key']}\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n`,
      ),
    )
    t.same(
      first.map(({ status }) => status),
      [201],
      'the answer comes before the body',
    )
  })

  await t.test('by tus, with the creation', async (t) => {
    const as = await signUp()
    const own = { ...TUS, ...named('whole.txt'), 'content-type': 'application/offset+octet-stream' }
    const create = (headers: Record<string, string>, payload: string) =>
      app.inject({ method: 'POST', url: '/api/v1/uploads', headers: { ...as.headers, ...headers }, payload })
    const made = await create({ ...own, 'upload-length': '5' }, 'whole')
    t.match(made, { statusCode: 201, headers: { 'upload-offset': '5', 'upload-complete': '?1' } })
    const upload = String(made.headers.location)
    t.match((await headOf(app, as, upload)).headers, {
      'upload-offset': '5',
      'upload-length': '5',
      ...named('whole.txt'),
    })
    const file = upload.replace('/uploads/', '/files/')
    t.match((await request({ url: file, as })).json(), { name: 'whole.txt', size: 5, status: 'ready' })
    t.same(await db.query('SELECT 1 FROM object_appends'), [], 'it never was a part of one')
    const draft = await create({ 'upload-complete': '?1' }, 'by the draft')
    t.match(draft.json(), { offset: 12, length: 12, complete: true })
    const digest = createHash('sha1').update('checked').digest('base64')
    const checked = { ...own, 'upload-length': '7', 'upload-checksum': `sha1 ${digest}` }
    t.match((await create(checked, 'checked')).json(), { offset: 7, complete: true })
    const wrong = await create(checked, 'chekced')
    expectProblem(t, wrong, { status: 460, code: 'upload_checksum_mismatch' })
    const metrics = (await app.inject({ url: '/metrics' })).body
    t.match(metrics, /uploads_parts_total\{outcome="finished"\} 3/)
    t.match(metrics, /uploads_parts_total\{outcome="refused"\} 1/)
  })

  await t.test('another avatar is the same file', async (t) => {
    const as = await signUp()
    const put = (payload: string) =>
      app.inject({ method: 'PUT', url: '/api/v1/users/me/avatar', headers: as.headers, payload })
    const [first, second] = [(await put('GIF89a')).json(), (await put('GIF89a and more')).json()]
    t.match(second, { id: first.id, created_at: first.created_at, size: 15, name: 'avatar' })
    expectProblem(t, await put('text'), { status: 415, code: 'file_type_not_allowed' })
    const all = await Promise.all(['1', '2', '3', '4'].map((n) => put(`GIF89a${n}`)))
    for (const one of all) t.match(one.json(), { id: first.id })
    await request({ method: 'DELETE', url: `/api/v1/files/${first.id}`, as })
    t.not((await put('GIF89a')).json().id, first.id, 'one in the trash stays there')
    t.equal((await listed(as)).length, 1)
  })
})
