import t from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, keysOf, putContent, sweep } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { appendTo, createUpload, named, TUS } from '#test/support/uploads.ts'

const FILES = '/api/v1/files'
const AVATAR = '/api/v1/users/me/avatar'
const png = () => Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex')

t.test('what a user does who is not friendly', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    APP_ROLE: 'web',
    APP_FILES__DIRECTORY: t.testdir(),
  })

  await t.test('a former avatar beside another one', async (t) => {
    const as = await signUp()
    const set = async () => (await request({ method: 'PUT', url: AVATAR, payload: png(), as })).json().id
    const remove = (id: string) => request({ method: 'DELETE', url: `${FILES}/${id}`, as })
    const restore = (id: string) => request({ method: 'POST', url: `${FILES}/${id}/restore`, as })
    const first = await set()
    await remove(first)
    const second = await set()
    t.not(second, first)
    expectProblem(t, await restore(first), { status: 409, code: 'avatar_exists' })
    t.equal((await request({ url: AVATAR, as })).statusCode, 200)
    await remove(second)
    t.match((await restore(first)).json(), { id: first, deleted_at: null })

    const all = [set, () => remove(first), () => restore(first), () => restore(second), () => remove(second)]
    await Promise.all(Array.from({ length: 40 }, (_, n) => all[n % all.length]?.()))
    const there = await db.query(
      "SELECT 1 FROM files WHERE space_id = $1 AND purpose = 'avatar' AND deleted_at IS NULL",
      [as.user.id],
    )
    t.ok(there.length <= 1)
  })

  await t.test('names that cannot be decoded', async (t) => {
    const as = await signUp()
    const whole = { method: 'POST', headers: as.headers, payload: 'x' } as const
    for (const name of ['%zz', '50%', '%', '%ff', '%ed%a0%80', 'a%2']) {
      const answer = await app.inject({ ...whole, url: `${FILES}/content?name=${name}` })
      expectProblem(t, answer, { status: 400, code: 'bad_request' })
      t.match(answer.json().detail, /percent-encoding/)
    }
    t.same((await request({ url: FILES, as })).json().data, [], 'no file is there')
    const made = await app.inject({ ...whole, url: `${FILES}/content?name=50%25%20caf%C3%A9` })
    t.equal(made.json().name, '50% café')
    const metadata = { 'upload-metadata': `filename ${Buffer.from([0xff, 0xfe]).toString('base64')}` }
    const headers = { ...as.headers, ...TUS, 'upload-length': '1', ...metadata }
    const upload = await app.inject({ method: 'POST', url: '/api/v1/uploads', headers })
    expectProblem(t, upload, { status: 400, code: 'invalid_upload' })
  })

  await t.test('names that cannot be seen, that are folders, or turn the text around', async (t) => {
    const as = await signUp()
    const ways: Record<string, (name: string) => Promise<{ statusCode: number; body: string }>> = {
      created: (name) => request({ method: 'POST', url: FILES, payload: { name }, as }),
      'in one request': (name) =>
        app.inject({
          method: 'POST',
          url: `${FILES}/content?name=${encodeURIComponent(name)}`,
          headers: as.headers,
          payload: 'x',
        }),
      'by tus': (name) =>
        app.inject({
          method: 'POST',
          url: '/api/v1/uploads',
          headers: { ...as.headers, ...TUS, 'upload-length': '1', ...named(name) },
        }),
    }
    const wrong = [
      '.',
      '..',
      ' ',
      '\u00a0',
      '\u200b',
      '\ufeff',
      '\u3164',
      'a/b',
      'a\\b',
      '\u061cexe',
      '\u202e',
    ]
    // One character in the form NFC, and two.
    wrong.push('a\nb', '\u0085', 'a'.repeat(256), '\u0958'.repeat(200))
    const right = [
      '...',
      '.a',
      'CON',
      '-rf',
      'a b',
      '\u0301',
      '\ufeffa',
      '😀'.repeat(255),
      'e\u0301'.repeat(255),
    ]
    for (const [way, make] of Object.entries(ways)) {
      for (const name of wrong) t.equal((await make(name)).statusCode, 400, `${encodeURI(name)}, ${way}`)
      for (const name of right) {
        const made = await make(name)
        t.equal(made.statusCode, 201, `${encodeURI(name)}, ${way}: ${made.body}`)
        const { id } = JSON.parse(made.body)
        const file = (await request({ url: `${FILES}/${id}`, as })).json()
        t.equal(file.name, name.normalize('NFC'))
        await request({ method: 'DELETE', url: `${FILES}/${id}?permanently=true`, as })
      }
    }
  })

  await t.test('a part in the place of the whole', async (t) => {
    const as = await signUp()
    const file = await createFullFile(app, as, '0123456789')
    const part = { 'content-range': 'bytes 0-2/10' }
    expectProblem(t, await putContent(app, as, file, 'abc', part), { status: 400, code: 'bad_request' })
    t.equal((await request({ url: `${file}/content`, as })).body, '0123456789')
    const ways = { POST: `${FILES}/content?name=a`, PUT: AVATAR } as const
    for (const [method, url] of Object.entries(ways)) {
      const answer = await app.inject({
        method: method === 'PUT' ? 'PUT' : 'POST',
        url,
        headers: { ...as.headers, ...part },
        payload: png(),
      })
      expectProblem(t, answer, { status: 400, code: 'bad_request' })
    }
  })

  await t.test('the type of a part, in other letters and with parameters', async (t) => {
    const as = await signUp()
    const upload = await createUpload(app, as, 3)
    const types = [
      'Application/Offset+Octet-Stream',
      'application/offset+octet-stream; charset=binary',
      'application/partial-upload;a=b',
    ]
    for (const [offset, type] of types.entries()) {
      const added = await appendTo(app, as, upload, { offset, bytes: 'x', headers: { 'content-type': type } })
      t.equal(added.statusCode, 204, added.body)
    }
    const next = await createUpload(app, as, 3)
    const wrong = { 'content-type': 'application/offset+octet-streams' }
    expectProblem(t, await appendTo(app, as, next, { offset: 0, bytes: 'x', headers: wrong }), {
      status: 415,
      code: 'unsupported_media_type',
    })
  })

  await t.test('replaced, deleted, restored, renamed and read at once', async (t) => {
    const as = await signUp()
    const file = await createFullFile(app, as, 'v')
    const acts = [
      (n: number) => putContent(app, as, file, `v${n}`),
      () => request({ method: 'DELETE', url: file, as }),
      () => request({ method: 'POST', url: `${file}/restore`, as }),
      (n: number) => request({ method: 'PATCH', url: file, payload: { name: `n${n}` }, as }),
      () => request({ url: `${file}/content`, as }),
      () => request({ method: 'POST', url: `${file}/links`, payload: {}, as }),
    ]
    const statuses = await Promise.all(
      Array.from({ length: 90 }, async (_, n) => (await acts[n % acts.length]?.(n))?.statusCode ?? 0),
    )
    t.same(
      statuses.filter((status) => status >= 500),
      [],
    )
    await createFile(app, as)
    await sweep(app)
    const rows = await db.query<{ key: string }>("SELECT key FROM stored_objects WHERE state = 'kept'")
    const keys = await keysOf(app)
    for (const { key } of rows) t.ok(keys.includes(key))
    const wrong = await db.query(
      `SELECT 1 FROM storage_usage u WHERE bytes <> (
         SELECT coalesce(sum(bytes), 0) FROM stored_objects o WHERE o.space_id = u.space_id AND state <> 'doomed')`,
    )
    t.same(wrong, [])
  })
})
