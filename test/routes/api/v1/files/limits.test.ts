import { connect } from 'node:net'
import { Readable } from 'node:stream'
import t from 'tap'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { Writing } from '#services/storage/storage.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, keysOf, putContent, sweep } from '#test/support/files.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { exchange, listen, responsesIn } from '#test/support/raw-http.ts'

const SETTINGS = {
  APP_FILES__MAX_SIZE: '200KiB',
  APP_FILES__QUOTA_PER_USER: '500KiB',
  APP_FILES__QUOTA_PER_ORGANIZATION: '1MiB',
}

t.test('sizes and quotas', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    ...SETTINGS,
    APP_FILES__DIRECTORY: t.testdir(),
  })
  const port = await listen(app)
  const used = async (as: TestUser) => (await request({ url: '/api/v1/files/usage', as })).json()

  /** Sends a body in chunks of 16 KiB, without its length. */
  const chunked = (as: TestUser, file: string, chunks: number) =>
    app.inject({
      method: 'PUT',
      url: `${file}/content`,
      headers: { ...as.headers, 'transfer-encoding': 'chunked' },
      payload: Readable.from(Array.from({ length: chunks }, () => Buffer.alloc(16 * 1024, 'x'))),
    })

  await t.test('a file that is too large is refused before it comes, or as soon as it is', async (t) => {
    const as = await signUp()
    const file = await createFile(app, as)
    const large = { status: 413, code: 'file_too_large' }
    expectProblem(t, await putContent(app, as, file, Buffer.alloc(200 * 1024 + 1)), large)
    expectProblem(t, await chunked(as, file, 13), large)
    t.match(await chunked(as, file, 12), { statusCode: 200 })
    t.same(await used(as), { bytes: 12 * 16 * 1024, max_bytes: 500 * 1024 })

    const head = `PUT ${file}/content HTTP/1.1\r\nHost: a\r\nAuthorization: ${as.headers.authorization}\r\n`
    const asks = `${head}Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n`
    const answers = responsesIn(await exchange(port, asks))
    t.same(
      answers.map(({ status }) => status),
      [413],
      'the body is not even asked for',
    )
    const closing = `${head}Connection: close\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`
    t.same(
      responsesIn(await exchange(port, closing, 'text')).map(({ status }) => status),
      [100, 200],
    )
    const stranger = `PUT ${file}/content HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`
    t.same(
      responsesIn(await exchange(port, stranger)).map(({ status }) => status),
      [401],
    )
  })

  await t.test('a quota is never exceeded, also by many at once', async (t) => {
    const as = await signUp()
    const files: string[] = []
    for (let n = 0; n < 12; n++) files.push(await createFile(app, as))
    const puts = await Promise.all(
      files.map((file, n) =>
        n % 2 === 0 ? putContent(app, as, file, Buffer.alloc(96 * 1024)) : chunked(as, file, 6),
      ),
    )
    const stored = puts.filter(({ statusCode }) => statusCode === 200).length
    t.ok(stored >= 1 && stored <= 5, `${stored} of 12 have room`)
    for (const put of puts) {
      if (put.statusCode !== 200) expectProblem(t, put, { status: 409, code: 'storage_quota_reached' })
    }
    t.equal((await used(as)).bytes, stored * 96 * 1024)
    const [first = ''] = files.filter((_, n) => puts[n]?.statusCode === 200)
    t.match(await request({ method: 'DELETE', url: `${first}?permanently=true`, as }), { statusCode: 204 })
    t.match(await putContent(app, as, await createFile(app, as), Buffer.alloc(96 * 1024)), {
      statusCode: 200,
    })
  })

  await t.test('files without content are bounded, too', async (t) => {
    const as = await signUp()
    await db.query(
      `INSERT INTO files (space_id, id, user_id, purpose, name)
       SELECT $1, gen_random_uuid(), $1, 'attachment', 'empty' FROM generate_series(1, 999)`,
      [as.user.id],
    )
    const file = await createFile(app, as)
    const create = () => request({ method: 'POST', url: '/api/v1/files', payload: { name: 'a' }, as })
    expectProblem(t, await create(), { status: 409, code: 'too_many_empty_files' })
    t.match(await putContent(app, as, file, ''), { statusCode: 200 })
    t.match(await create(), { statusCode: 201 })
  })

  await t.test('one that fails leaves the content that there was', async (t) => {
    const as = await signUp()
    const file = await createFullFile(app, as, 'the first')
    const { store } = app.ctx.storage
    if (!(store instanceof LocalStore)) throw new TypeError('the store is a directory')
    const before = await keysOf(app)
    const { write } = store
    store.write = async (key, pieces) => {
      await write.call(store, key, pieces)
      throw new Error('no space left on device')
    }
    const failed = await putContent(app, as, file, 'the second')
    expectProblem(t, failed, { status: 503, code: 'file_store_unavailable' })
    store.write = write
    t.equal((await request({ url: `${file}/content`, as })).body, 'the first')
    t.same(await keysOf(app), before)
    t.equal((await used(as)).bytes, 4096)
    const [kept = ''] = (
      await db.query<{ key: string }>('SELECT key FROM files WHERE space_id = $1', [as.user.id])
    ).map(({ key }) => key)
    await store.remove(kept)
    const lost = await request({ url: `${file}/content`, as })
    expectProblem(t, lost, { status: 503, code: 'file_store_unavailable' })
  })

  await t.test('what a crash left is swept when its time is over', async (t) => {
    const as = await signUp()
    const { store } = app.ctx.storage
    const key = '0'.repeat(32)
    await db.query('INSERT INTO storage_usage (space_id, bytes) VALUES ($1, 4)', [as.user.id])
    await db.query(
      "INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at) VALUES ($1, 'local', $2, 4, 'writing', now() - interval '1 s')",
      [key, as.user.id],
    )
    await store?.write(key, Readable.from([Buffer.from('half')]))
    await sweep(app)
    t.equal((await used(as)).bytes, 0, 'the space is free at once')
    t.ok((await keysOf(app)).includes(key), 'a writer that is still there has an hour')
    await db.query("UPDATE stored_objects SET expires_at = now() WHERE state = 'doomed'")
    await sweep(app)
    t.notOk((await keysOf(app)).includes(key))
  })

  await t.test(
    'a lease is renewed while its object is written, and ends a writer that lost it',
    async (t) => {
      const as = await signUp()
      const { storage, log } = app.ctx
      const ctx = { storage: { ...storage, leaseMs: 40 }, log }
      const writing = await Writing.begin(ctx, { space: as.user.id, quota: 10_000, length: 5000 })
      const { key } = writing
      const isRenewed =
        'SELECT 1 FROM stored_objects WHERE key = $1 AND expires_at > created_at + $2::interval'
      await eventually(async () => (await db.query(isRenewed, [key, '100 ms'])).length === 1)
      await db.query("UPDATE stored_objects SET state = 'doomed' WHERE key = $1", [key])
      const isRefused = async () => {
        try {
          await writing.reach(5000)
          return false
        } catch {
          return true
        }
      }
      await eventually(isRefused)
      await t.rejects(writing.keep(app.db, 5000), { message: 'the lease of an object is over' })
      t.same((await used(as)).bytes, 0)
    },
  )
})

t.test('a slow upload goes on, and one that stands still is ended', async (t) => {
  const { app, request, signUp } = await createTestApp(t, {
    APP_SERVER__HEADERS_TIMEOUT: '100ms',
    APP_SERVER__REQUEST_TIMEOUT: '200ms',
    APP_FILES__MIN_SPEED: '1B',
    APP_FILES__UPLOAD_LIFETIME: '1h',
  })
  const as = await signUp()
  const port = await listen(app)
  const start = async (length: number) => {
    const file = await createFile(app, as)
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    let received = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text
    })
    socket.on('error', () => undefined)
    socket.write(
      `PUT ${file}/content HTTP/1.1\r\nHost: a\r\nAuthorization: ${as.headers.authorization}\r\n` +
        `Content-Length: ${length}\r\n\r\n`,
    )
    return { file, socket, received: () => received }
  }
  const still = await start(100)
  const slow = await start(1_000_000)
  // As long as the other one needs to be ended, whatever the machine does meanwhile.
  let sent = 0
  await eventually(async () => {
    slow.socket.write('x'.repeat(10))
    sent += 10
    return still.received().includes('HTTP/1.1 408')
  })
  t.equal(slow.received(), '', 'the one that moves is not refused')
  slow.socket.write('x'.repeat(1_000_000 - sent))
  await eventually(async () => slow.received().includes('HTTP/1.1 200'))
  t.equal((await request({ url: slow.file, as })).json().size, 1_000_000)
})
