import { createHash } from 'node:crypto'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, keysOf, putContent, sweep } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'

const FILES = '/api/v1/files'

t.test("one's own files", async (t) => {
  const { app, db, logs, request, signUp } = await createTestApp(t, { APP_FILES__DIRECTORY: t.testdir() })
  const as = await signUp()

  await t.test('created, filled, read, renamed, replaced', async (t) => {
    const headers = { 'idempotency-key': uuidv7() }
    const create = () => request({ method: 'POST', url: FILES, payload: { name: 'notes.txt' }, headers, as })
    const made = await create()
    t.equal(made.statusCode, 201, made.body)
    t.match(made.json(), {
      name: 'notes.txt',
      purpose: 'attachment',
      status: 'pending',
      media_type: null,
      size: null,
      sha256: null,
      created_by: as.user.id,
      deleted_at: null,
    })
    t.equal((await create()).body, made.body, 'once')
    const url = `${FILES}/${made.json().id}`
    t.equal(made.headers.location, url)
    const empty = await request({ url: `${url}/content`, as })
    expectProblem(t, empty, { status: 409, code: 'file_without_content' })

    const put = await putContent(app, as, url, 'some text', { 'content-type': 'application/json' })
    t.equal(put.statusCode, 200, put.body)
    const sha256 = createHash('sha256').update('some text').digest('hex')
    t.match(put.json(), { status: 'ready', media_type: 'text/plain', size: 9, sha256 })
    t.equal((await request({ url: `${url}/content`, as })).body, 'some text')

    const etag = put.headers.etag ?? ''
    const patch = (name: string) =>
      request({ method: 'PATCH', url, payload: { name }, headers: { 'if-match': etag }, as })
    t.match((await patch('renamed.txt')).json(), { name: 'renamed.txt', sha256 })
    expectProblem(t, await patch('again.txt'), { status: 412, code: 'file_changed' })
    const stale = await putContent(app, as, url, 'lost', { 'if-match': etag })
    expectProblem(t, stale, { status: 412, code: 'file_changed' })

    t.match((await putContent(app, as, url, 'another')).json(), { size: 7, name: 'renamed.txt' })
    t.equal((await request({ url: `${url}/content`, as })).body, 'another')
    await sweep(app)
    t.equal((await keysOf(app)).length, 1, 'what was replaced is gone')
    await sweep(app)
    const said = logs().filter(({ msg }) => msg === 'removed objects')
    t.match(said, [{ level: 'info', objects: 1 }], 'not for nothing')
    await request({ method: 'DELETE', url: `${url}?permanently=true`, as })
  })

  await t.test('an empty content is one, however it is sent', async (t) => {
    const url = await createFile(app, as)
    t.match((await putContent(app, as, url, '')).json(), { size: 0, media_type: 'text/plain' })
    const read = await request({ url: `${url}/content`, as })
    t.match(read, { statusCode: 200, body: '' })
    t.equal(read.headers['content-length'], '0')
  })

  await t.test('lists are paged, and the trash is apart', async (t) => {
    const other = await signUp()
    const urls: string[] = []
    for (const name of ['a', 'b', 'c', 'd']) urls.push(await createFullFile(app, other, name, { name }))
    const list = async (query: string) => {
      const response = await request({ url: `${FILES}?${query}`, as: other })
      return { ...response.json(), names: response.json().data?.map(({ name }: { name: string }) => name) }
    }
    t.same((await list('')).names, ['d', 'c', 'b', 'a'])
    const page = await list('limit=3')
    t.same((await list(`limit=3&cursor=${page.next_cursor}`)).names, ['a'])
    t.equal((await request({ method: 'DELETE', url: String(urls[1]), as: other })).statusCode, 204)
    t.same((await list('')).names, ['d', 'c', 'a'])
    t.same((await list('deleted=true')).names, ['b'])
    const foreign = await request({ url: `${FILES}?deleted=true&cursor=${page.next_cursor}`, as: other })
    expectProblem(t, foreign, { status: 400, code: 'invalid_cursor' })
    t.equal(
      (await request({ url: FILES, as })).json().data.some(({ name }: { name: string }) => name === 'a'),
      false,
    )
    for (const url of urls) {
      const stranger = { status: 404, code: 'file_not_found' }
      for (const path of [url, `${url}/content`]) expectProblem(t, await request({ url: path, as }), stranger)
      expectProblem(t, await putContent(app, as, url, 'mine'), stranger)
    }
  })

  await t.test('the trash: out of reach, restored, purged; the space counts until then', async (t) => {
    const other = await signUp()
    const used = async () => (await request({ url: `${FILES}/usage`, as: other })).json().bytes
    const url = await createFullFile(app, other, 'x'.repeat(1000))
    t.equal(await used(), 4096, 'the least that a file takes')
    const remove = (query = '') => request({ method: 'DELETE', url: url + query, as: other })
    t.equal((await remove()).statusCode, 204)
    const gone = { status: 404, code: 'file_not_found' }
    expectProblem(t, await remove(), gone)
    expectProblem(t, await request({ url: `${url}/content`, as: other }), gone)
    expectProblem(t, await putContent(app, other, url, 'x'), gone)
    const rename = { method: 'PATCH', url, payload: { name: 'n' }, as: other } as const
    expectProblem(t, await request(rename), gone)
    t.ok((await request({ url, as: other })).json().deleted_at)
    t.equal(await used(), 4096)
    const restore = () => request({ method: 'POST', url: `${url}/restore`, as: other })
    t.match((await restore()).json(), { deleted_at: null, status: 'ready' })
    t.match(await restore(), { statusCode: 200 }, 'again')
    t.equal((await request({ url: `${url}/content`, as: other })).body.length, 1000)

    await remove()
    await sweep(app)
    await db.query("UPDATE files SET purge_at = now() - interval '1 second' WHERE space_id = $1", [
      other.user.id,
    ])
    const { cleanupJob } = await import('#services/operations/jobs.ts')
    const run = { id: '', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
    await cleanupJob.handler(app.ctx, {}, run)
    expectProblem(t, await restore(), gone)
    t.equal(await used(), 0)
    const before = await keysOf(app)
    await sweep(app)
    t.equal((await keysOf(app)).length, before.length - 1, 'the bytes are gone')
  })

  await t.test('an account takes its files along', async (t) => {
    const other = await signUp()
    await sweep(app)
    await createFullFile(app, other, 'soon gone')
    const before = await keysOf(app)
    t.equal((await request({ method: 'DELETE', url: '/api/v1/users/me', as: other })).statusCode, 204)
    await sweep(app)
    t.equal((await keysOf(app)).length, before.length - 1)
    t.same(await db.query("SELECT 1 FROM stored_objects WHERE state = 'doomed'"), [])
  })

  await t.test('the row of each object is there, and usage is their sum', async (t) => {
    const objects = await db.query<{ key: string }>('SELECT key FROM stored_objects ORDER BY key')
    t.same(
      await keysOf(app),
      objects.map(({ key }) => key),
    )
    const wrong = await db.query(
      `SELECT * FROM storage_usage u WHERE bytes <> (
         SELECT coalesce(sum(bytes), 0) FROM stored_objects o WHERE o.space_id = u.space_id AND state <> 'doomed')`,
    )
    t.same(wrong, [])
  })

  await t.test('the avatar: an image, one, and a file', async (t) => {
    const url = '/api/v1/users/me/avatar'
    const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex')
    const set = (payload: Buffer | string) => request({ method: 'PUT', url, payload, as })
    expectProblem(t, await request({ url, as }), { status: 404, code: 'file_not_found' })
    expectProblem(t, await set('<svg/>'), { status: 415, code: 'file_type_not_allowed' })
    const large = Buffer.concat([png, Buffer.alloc(5 * 1024 * 1024)])
    expectProblem(t, await set(large), { status: 413, code: 'file_too_large' })
    const first = await set(png)
    t.match(first.json(), { purpose: 'avatar', media_type: 'image/png', status: 'ready' }, first.body)
    t.equal((await set(png)).json().id, first.json().id, 'another content of the same file')
    t.equal((await request({ url, as })).headers['content-type'], 'image/png')
    await request({ method: 'DELETE', url: `${FILES}/${first.json().id}`, as })
    t.not((await set(png)).json().id, first.json().id)
  })
})

t.test('without a store there are no files', async (t) => {
  const { app, request, signUp } = await createTestApp(t, { APP_FILES__STORE: 'none' })
  const as = await signUp()
  const disabled = { status: 404, code: 'files_disabled' }
  expectProblem(t, await request({ method: 'POST', url: FILES, payload: { name: 'a' }, as }), disabled)
  expectProblem(
    t,
    await request({ method: 'PUT', url: '/api/v1/users/me/avatar', payload: 'a', as }),
    disabled,
  )
  t.same((await request({ url: FILES, as })).json().data, [])
  t.equal(app.ctx.storage.store, undefined)
})
