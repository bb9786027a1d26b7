import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { SMALLEST_BYTES } from '#services/storage/reservation.ts'
import { DIRECT, PART, send, start } from '#test/support/direct-uploads.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, keysOf, putContent, sweep } from '#test/support/files.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { STORES } from '#test/support/s3-stores.ts'
import { appendTo, headOf } from '#test/support/uploads.ts'
import { startVersitygw, WITHOUT_VERSITYGW } from '#test/support/versitygw.ts'

for (const store of STORES)
  t.test(`uploads to ${store.name}`, { skip: store.skip }, async (t) => {
    const limits = { APP_FILES__QUOTA_PER_USER: '200MiB', APP_FILES__MAX_SIZE: '100MiB' }
    const test = await start(t, await store.begin(t), limits)
    const { app, db, request, signUp, create, begin, complete, verify, verifyAll } = test
    const as = await signUp()
    const usage = async () => (await request({ url: '/api/v1/files/usage', as })).json().bytes
    const content = randomBytes(2 * PART + 5)

    await t.test('in parts, in any order, at the same time', async (t) => {
      const upload = await begin(as, content.length)
      t.match(upload, { size: content.length, part_size: PART, part_count: 3 })
      t.same(
        upload.parts.map(({ number, size }) => [number, size]),
        [
          [1, PART],
          [2, PART],
          [3, 5],
        ],
      )
      t.equal(await usage(), content.length, 'its space is taken at once')
      t.same(await send(upload.parts.toReversed(), content), [200, 200, 200])
      const { id } = upload
      const completed = await complete(as, id)
      t.match(completed, { statusCode: 202 })
      t.match(completed.json(), { id, name: 'film.mp4', status: 'pending' })
      t.match(await complete(as, id), { statusCode: 202 }, 'an answer that was lost can be asked for again')
      const late = { method: 'POST', url: `${DIRECT}/${id}/parts`, as, payload: { numbers: [1] } } as const
      expectProblem(t, await request(late), { status: 404, code: 'upload_not_found' })
      t.equal(await verifyAll(), 1, 'and has it read once')
      await verify(as, id)
      const file = (await request({ url: `/api/v1/files/${id}`, as })).json()
      t.match(file, { status: 'ready', size: content.length })
      t.equal(file.sha256, createHash('sha256').update(content).digest('hex'))
      const read = await request({
        url: `/api/v1/files/${id}/content`,
        as,
        headers: { range: 'bytes=33554430-' },
      })
      t.ok(read.rawPayload.equals(content.subarray(33554430)))
      t.match(await complete(as, id), { statusCode: 202 })
      for (const status of await send(upload.parts, content))
        t.not(status, 200, 'nobody can change it any more')
      expectProblem(
        t,
        await request({ method: 'POST', url: `${DIRECT}/${id}/parts`, as, payload: { numbers: [1] } }),
        {
          status: 404,
          code: 'upload_not_found',
        },
      )
      await request({ method: 'DELETE', url: `/api/v1/files/${id}?permanently=true`, as })
      t.equal(await usage(), 0)
    })

    await t.test('a URL takes the bytes of its part, and nothing else', async (t) => {
      const upload = await begin(as, 10)
      const [part] = upload.parts
      const url = part?.url ?? ''
      t.match(url, /X-Amz-Expires=900.*SignedHeaders=content-length%3Bhost/)
      for (const body of ['', 'too short', 'it is too long'])
        t.not((await fetch(url, { method: 'PUT', body })).status, 200, body)
      for (const method of ['GET', 'DELETE', 'POST'])
        t.not((await fetch(url, { method })).status, 200, method)
      t.equal(
        (await fetch(url.replace('partNumber=1', 'partNumber=2'), { method: 'PUT', body: '0123456789' }))
          .status,
        403,
      )
      const incomplete = await complete(as, upload.id)
      expectProblem(t, incomplete, { status: 409, code: 'upload_incomplete' })
      t.match(incomplete.json().detail, /1 parts have not come.*: 1\./)
      t.equal(
        (await fetch(url, { method: 'PUT', body: '0123456789', headers: { 'content-type': 'text/html' } }))
          .status,
        200,
      )
      t.equal((await fetch(url, { method: 'PUT', body: 'abcdefghij' })).status, 200, 'it can be sent again')
      t.equal((await complete(as, upload.id)).statusCode, 202)
      await verifyAll()
      t.equal((await request({ url: `/api/v1/files/${upload.id}/content`, as })).body, 'abcdefghij')
    })

    await t.test('URLs for parts can be asked for', async (t) => {
      const upload = await begin(as, PART + 1)
      const sign = (numbers: number[]) =>
        request({ method: 'POST', url: `${DIRECT}/${upload.id}/parts`, as, payload: { numbers } })
      t.match((await sign([2])).json(), { id: upload.id, parts: [{ number: 2, size: 1 }] })
      expectProblem(t, await sign([3]), { status: 400, code: 'invalid_upload' })
      expectProblem(t, await sign([]), { status: 400, code: 'validation_failed' })
      expectProblem(t, await sign([1, 1]), { status: 400, code: 'validation_failed' })
      const stranger = await signUp()
      const url = `${DIRECT}/${upload.id}`
      for (const [path, payload] of [
        ['parts', { numbers: [1] }],
        ['complete', undefined],
      ] as const) {
        const options = { method: 'POST', url: `${url}/${path}`, as: stranger } as const
        expectProblem(t, await request({ ...options, ...(payload && { payload }) }), {
          status: 404,
          code: 'upload_not_found',
        })
      }
    })

    await t.test('within size and quota', async (t) => {
      expectProblem(t, await create(as, 100 * 1024 * 1024 + 1), { status: 413, code: 'file_too_large' })
      expectProblem(t, await create(as, 0), { status: 400, code: 'validation_failed' })
      const poor = await signUp()
      await begin(poor, 100 * 1024 * 1024)
      await begin(poor, 100 * 1024 * 1024)
      expectProblem(t, await create(poor, 1), { status: 409, code: 'storage_quota_reached' })
    })

    await t.test('uploads through the service do not know them', async (t) => {
      const { id } = await begin(as, 10)
      const upload = `/api/v1/uploads/${id}`
      t.equal((await headOf(app, as, upload)).statusCode, 404)
      const missing = { status: 404, code: 'upload_not_found' }
      expectProblem(t, await appendTo(app, as, upload, { offset: 0, bytes: 'x' }), missing)
      expectProblem(t, await request({ url: upload, as }), missing)
      t.equal((await request({ method: 'DELETE', url: upload, as })).statusCode, 204)
      expectProblem(t, await complete(as, id), missing)
      const file = await createFile(app, as)
      expectProblem(t, await complete(as, file.split('/').at(-1) ?? ''), missing)
    })

    await t.test("an organization's", async (t) => {
      const { owner, url: org } = await createOrganization(app)
      const url = `${org}/direct-uploads`
      const upload = await begin(owner, 10, url)
      await send(upload.parts, Buffer.from('0123456789'))
      t.equal((await complete(owner, upload.id, url)).statusCode, 202)
      await verifyAll()
      t.match((await request({ url: `${org}/files/${upload.id}`, as: owner })).json(), { status: 'ready' })
      const written = await db.query(
        "SELECT actor_kind FROM events WHERE type = 'files.written' AND org_id IS NOT NULL",
      )
      t.same(written, [{ actor_kind: 'system' }])
    })

    for (const when of ['before it is complete', 'while it is read']) {
      await t.test(`what is put into the trash ${when} is there when it is restored`, async (t) => {
        const { id, parts } = await begin(as, 10)
        const file = `/api/v1/files/${id}`
        await send(parts, Buffer.from('0123456789'))
        const trash = async () =>
          t.equal((await request({ method: 'DELETE', url: file, as })).statusCode, 204)
        if (when === 'before it is complete') await trash()
        t.equal((await complete(as, id)).statusCode, 202)
        if (when === 'while it is read') await trash()
        const purged = () => db.query('SELECT purge_at FROM files WHERE id = $1', [id])
        const before = await purged()
        await verifyAll()
        t.same(await purged(), before, 'it does not stay longer in the trash')
        expectProblem(t, await request({ url: `${file}/content`, as }), {
          status: 404,
          code: 'file_not_found',
        })
        const restored = await request({ method: 'POST', url: `${file}/restore`, as })
        t.match(restored.json(), { status: 'ready', size: 10, deleted_at: null })
        t.equal((await request({ url: `${file}/content`, as })).body, '0123456789')
      })
    }

    await t.test('what is deleted for good while it is read leaves nothing', async (t) => {
      const before = await usage()
      const { id, parts } = await begin(as, 10)
      await send(parts, Buffer.from('0123456789'))
      await complete(as, id)
      await request({ method: 'DELETE', url: `/api/v1/files/${id}?permanently=true`, as })
      t.equal(await verifyAll(), 1)
      t.equal(await usage(), before)
    })

    for (const when of ['before it is complete', 'while it is read']) {
      await t.test(`of what is written ${when}, the last counts`, async (t) => {
        const { id, parts } = await begin(as, 10)
        const file = `/api/v1/files/${id}`
        await send(parts, Buffer.from('0123456789'))
        const put = async () => t.equal((await putContent(app, as, file, 'by hand')).statusCode, 200)
        if (when === 'before it is complete') await put()
        t.equal((await complete(as, id)).statusCode, 202)
        if (when === 'while it is read') await put()
        const before = await usage()
        t.equal(await verifyAll(), 1)
        const isOlder = when === 'before it is complete'
        t.equal((await request({ url: `${file}/content`, as })).body, isOlder ? '0123456789' : 'by hand')
        t.equal(await usage(), before - SMALLEST_BYTES, 'the other takes no space')
        t.match(await complete(as, id), { statusCode: 202 }, 'and its client is told of the file')
        t.equal(await verifyAll(), 0)
      })
    }

    await t.test('what is given up leaves nothing', async (t) => {
      const { parts } = await begin(as, PART + 1)
      await send(parts.slice(0, 1), content)
      await db.query("UPDATE uploads SET expires_at = now() - interval '1 day'")
      await db.query('DELETE FROM files')
      await db.query("UPDATE stored_objects SET expires_at = now() - interval '1 day' WHERE state <> 'kept'")
      await sweep(app)
      await db.query("UPDATE stored_objects SET expires_at = now() - interval '1 day' WHERE state <> 'kept'")
      await sweep(app)
      t.same(await keysOf(app), [])
      t.same(await db.query('SELECT 1 FROM stored_objects'), [])
      t.not((await send(parts.slice(0, 1), content))[0], 200, 'its parts are gone with it')
    })
  })

t.test('a worker reads what came', { skip: WITHOUT_VERSITYGW }, async (t) => {
  const { begin, complete, request, signUp } = await start(t, await startVersitygw(t), { APP_ROLE: 'all' })
  const as = await signUp()
  const { id, parts } = await begin(as, 6)
  await send(parts, Buffer.from('GIF89a'))
  await complete(as, id)
  await eventually(async () => (await request({ url: `/api/v1/files/${id}`, as })).json().status === 'ready')
  t.match((await request({ url: `/api/v1/files/${id}`, as })).json(), { media_type: 'image/gif' })
})
