import { Readable } from 'node:stream'
import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, putContent } from '#test/support/files.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { appendTo, createUpload, TUS } from '#test/support/uploads.ts'

const KIB = 1024
const [LARGEST, QUOTA] = [300 * KIB, 400 * KIB]
const [FULL, LARGE] = [
  { status: 409, code: 'storage_quota_reached' },
  { status: 413, code: 'file_too_large' },
]

t.test('a quota and the limits of sizes, at their edges', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    APP_ROLE: 'web',
    APP_FILES__DIRECTORY: t.testdir(),
    APP_FILES__MAX_SIZE: `${LARGEST}B`,
    APP_FILES__QUOTA_PER_USER: `${QUOTA}B`,
  })
  const used = async (as: TestUser) => (await request({ url: '/api/v1/files/usage', as })).json().bytes
  const bytes = (count: number) => Buffer.alloc(count, 'x')
  const chunked = (count: number) => ({
    headers: { 'transfer-encoding': 'chunked' },
    payload: Readable.from([bytes(count >> 1), bytes(count - (count >> 1))]),
  })
  const sized = (count: number) => ({ headers: {}, payload: bytes(count) })
  type Body = { headers: Record<string, string>; payload: Buffer | Readable }

  const send = (as: TestUser, method: 'PUT' | 'POST', url: string, { headers, payload }: Body) =>
    app.inject({ method, url, headers: { ...as.headers, ...headers }, payload })

  /** Each way in which so many bytes can come as a new file. */
  const ways: Record<string, (as: TestUser, count: number) => Promise<LightMyRequestResponse>> = {
    'in one request': (as, count) => send(as, 'POST', '/api/v1/files/content?name=a', sized(count)),
    'in one request, in chunks': (as, count) =>
      send(as, 'POST', '/api/v1/files/content?name=a', chunked(count)),
    'in two requests': async (as, count) =>
      send(as, 'PUT', `${await createFile(app, as)}/content`, sized(count)),
    'in two requests, in chunks': async (as, count) =>
      send(as, 'PUT', `${await createFile(app, as)}/content`, chunked(count)),
    'by tus': async (as, count) => {
      const headers = { ...as.headers, ...TUS, 'upload-length': String(count) }
      const made = await app.inject({ method: 'POST', url: '/api/v1/uploads', headers })
      if (made.statusCode !== 201) return made
      const url = String(made.headers.location).slice(app.publicPath.length)
      return appendTo(app, as, url, { offset: 0, bytes: bytes(count) })
    },
    'by tus, with the creation': (as, count) =>
      send(as, 'POST', '/api/v1/uploads', {
        headers: {
          ...TUS,
          'upload-length': String(count),
          'content-type': 'application/offset+octet-stream',
        },
        payload: bytes(count),
      }),
    'by tus, of a length that is said last': async (as, count) => {
      const url = await createUpload(app, as, undefined)
      const first = await appendTo(app, as, url, { offset: 0, bytes: bytes(count) })
      if (first.statusCode !== 204) return first
      const headers = { 'upload-length': String(count) }
      return appendTo(app, as, url, { offset: count, bytes: '', headers })
    },
    'by the draft': (as, count) =>
      send(as, 'POST', '/api/v1/uploads', { ...sized(count), headers: { 'upload-complete': '?1' } }),
    'by the draft, in chunks': (as, count) => {
      const { headers, payload } = chunked(count)
      return send(as, 'POST', '/api/v1/uploads', {
        headers: { ...headers, 'upload-complete': '?1' },
        payload,
      })
    },
  }

  for (const [way, make] of Object.entries(ways)) {
    await t.test(`${way}: all that is left has room, and not a byte more`, async (t) => {
      const as = await signUp()
      const large = await make(as, LARGEST + 1)
      expectProblem(t, large, LARGE)
      // What has come of an upload that can be continued counts until its time is over.
      const giveUp = () => db.query('DELETE FROM uploads WHERE space_id = $1', [as.user.id])
      await giveUp()
      const room = 10 * KIB
      await createFullFile(app, as, bytes(LARGEST))
      await createFullFile(app, as, bytes(QUOTA - LARGEST - room))
      t.equal(await used(as), QUOTA - room)
      expectProblem(t, await make(as, room + 1), FULL)
      await giveUp()
      const fits = await make(as, room)
      t.ok(fits.statusCode < 300, fits.body)
      t.equal(await used(as), QUOTA)
    })
  }

  await t.test('an avatar has 5 MiB at most, in each way', async (t) => {
    const { app, signUp } = await createTestApp(t, { APP_ROLE: 'web', APP_FILES__DIRECTORY: t.testdir() })
    const as = await signUp()
    const image = (count: number) => Buffer.concat([Buffer.from('GIF89a'), bytes(count - 6)])
    const most = 5 * KIB * KIB
    const put = (url: string, payload: Buffer | Readable, headers = {}) =>
      app.inject({ method: 'PUT', url, headers: { ...as.headers, ...headers }, payload })
    const first = await put('/api/v1/users/me/avatar', image(most))
    t.equal(first.statusCode, 200, first.body)
    for (const url of ['/api/v1/users/me/avatar', `/api/v1/files/${first.json().id}/content`]) {
      expectProblem(t, await put(url, image(most + 1)), LARGE)
      const parts = Readable.from([image(most), Buffer.from('x')])
      expectProblem(t, await put(url, parts, { 'transfer-encoding': 'chunked' }), LARGE)
      t.equal((await put(url, image(most))).statusCode, 200)
    }
  })

  await t.test('a content that is replaced does not count beside the new one', async (t) => {
    const as = await signUp()
    const file = await createFullFile(app, as, bytes(LARGEST))
    const other = await createFullFile(app, as, bytes(QUOTA - LARGEST - 4 * KIB))
    for (const body of [sized, chunked]) {
      const same = await send(as, 'PUT', `${file}/content`, body(LARGEST))
      t.equal(same.statusCode, 200, same.body)
      t.equal(await used(as), QUOTA - 4 * KIB)
    }
    expectProblem(t, await putContent(app, as, other, bytes(QUOTA - LARGEST + 1)), FULL)
    t.equal((await putContent(app, as, other, bytes(QUOTA - LARGEST))).statusCode, 200)
    expectProblem(t, await send(as, 'PUT', `${other}/content`, chunked(QUOTA - LARGEST + 1)), FULL)
    t.equal(await used(as), QUOTA)
    const avatar = () =>
      send(as, 'PUT', '/api/v1/users/me/avatar', { headers: {}, payload: Buffer.from('GIF89a') })
    expectProblem(t, await avatar(), FULL)
    t.equal((await putContent(app, as, other, bytes(QUOTA - LARGEST - 4 * KIB))).statusCode, 200)
    t.equal((await avatar()).statusCode, 200)
    t.equal(await used(as), QUOTA)
    t.equal((await avatar()).statusCode, 200)

    await request({ method: 'PATCH', url: other, payload: { name: 'x' }, as })
    await db.query('UPDATE storage_usage SET max_bytes = 1 WHERE space_id = $1', [as.user.id])
    expectProblem(t, await putContent(app, as, file, bytes(10)), FULL)
    await db.query('UPDATE storage_usage SET max_bytes = $2 WHERE space_id = $1', [as.user.id, QUOTA])
    t.equal((await putContent(app, as, file, bytes(LARGEST))).statusCode, 200)
  })

  await t.test(
    'replaced by many at once, beside new ones: never more than the quota afterwards',
    async (t) => {
      const as = await signUp()
      const file = await createFullFile(app, as, bytes(LARGEST))
      for (let round = 0; round < 10; round++) {
        // Small ones free most of what the large ones have counted on.
        const sizes = [10, LARGEST, 10, LARGEST, LARGEST, 50 * KIB, 10, LARGEST]
        const answers = await Promise.all([
          ...sizes.map((size, n) =>
            send(as, 'PUT', `${file}/content`, (n % 3 === 0 ? chunked : sized)(size)),
          ),
          ...[100 * KIB, 200 * KIB, LARGEST].map((size) =>
            send(as, 'POST', '/api/v1/files/content?name=a', sized(size)),
          ),
        ])
        for (const answer of answers) if (answer.statusCode >= 300) expectProblem(t, answer, FULL)
        const all = await used(as)
        t.ok(all <= QUOTA, `${all} of ${QUOTA} bytes`)
        const [sum] = await db.query<{ sum: string }>(
          "SELECT sum(bytes) FROM stored_objects WHERE space_id = $1 AND state <> 'doomed'",
          [as.user.id],
        )
        t.equal(Number(sum?.sum), all)
        await db.query("DELETE FROM files WHERE space_id = $1 AND name = 'a'", [as.user.id])
      }
    },
  )
})
