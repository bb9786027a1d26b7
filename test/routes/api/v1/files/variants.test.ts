import { Readable } from 'node:stream'
import sharp from 'sharp'
import t from 'tap'
import { makeVariantJob } from '#services/variants/jobs.ts'
import type { Task } from '#services/variants/making.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, keysOf, putContent, sweep } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const RUN = { id: 'test', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
const UNAVAILABLE = { status: 404, code: 'variant_unavailable' }

const imageOf = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer()

t.test('smaller copies of images', async (t) => {
  const test = await createTestApp(t, { APP_ROLE: 'web', APP_FILES__DIRECTORY: t.testdir() })
  const { app, db, request, signUp } = test
  const as = await signUp()
  const usage = async () => (await request({ url: '/api/v1/files/usage', as })).json().bytes
  const tasks = () =>
    db.query<{ data: Task }>("DELETE FROM pgboss.job WHERE name = 'make_variant' RETURNING data")
  const makeAll = async () => {
    const jobs = await tasks()
    for (const { data } of jobs) await makeVariantJob.handler(app.ctx, data, RUN)
    return jobs.length
  }

  await t.test('are made when they are first asked for', async (t) => {
    const file = await createFullFile(app, as, await imageOf(2000, 1000), { name: 'photo of me.jpeg' })
    const url = `${file}/variants/thumbnail`
    for (let asked = 0; asked < 3; asked++) {
      const early = await request({ url, as })
      t.match(early, { statusCode: 202, body: '', headers: { 'retry-after': '1' } })
    }
    t.equal(await makeAll(), 1, 'once, however often they are asked for')
    const made = await request({ url, as })
    t.match(made, {
      statusCode: 200,
      headers: {
        'content-type': 'image/webp',
        'content-disposition': 'inline; filename="photo of me.webp"',
        'content-security-policy': /sandbox/,
        'x-content-type-options': 'nosniff',
      },
    })
    t.match(await sharp(made.rawPayload).metadata(), { format: 'webp', width: 320, height: 160 })
    const headers = { 'if-none-match': String(made.headers.etag) }
    t.equal((await request({ url, as, headers })).statusCode, 304)
    t.equal((await request({ url, as, headers: { range: 'bytes=0-3' } })).body, 'RIFF')

    const preview = `${file}/variants/preview`
    await request({ url: preview, as })
    await makeAll()
    t.match(await sharp((await request({ url: preview, as })).rawPayload).metadata(), { width: 1600 })
    expectProblem(t, await request({ url: `${file}/variants/4000x4000`, as }), {
      status: 400,
      code: 'validation_failed',
    })
    expectProblem(t, await request({ url, as: await signUp() }), { status: 404, code: 'file_not_found' })
  })

  await t.test('can be shared without the image that they are made of', async (t) => {
    const file = await createFullFile(app, as, await imageOf(2000, 1000), { name: 'photo.jpeg' })
    const share = (payload: object, of = file) => request({ method: 'POST', url: `${of}/links`, as, payload })
    const pathOf = ({ url }: { url: string }) => url.replace(/^https?:\/\/[^/]+/, '')
    const url = pathOf((await share({ variant: 'preview', download: true })).json())
    t.match(await request({ url }), { statusCode: 202, body: '', headers: { 'retry-after': '1' } })
    t.equal(await makeAll(), 1, 'making the link asked for it')
    const copy = await request({ url })
    t.match(copy, {
      statusCode: 200,
      headers: {
        'content-disposition': 'attachment; filename="photo.webp"',
        'cross-origin-resource-policy': 'cross-origin',
      },
    })
    t.match(await sharp(copy.rawPayload).metadata(), { format: 'webp', width: 1600, height: 800 })

    const invalid = { status: 404, code: 'invalid_link' }
    const token = new URLSearchParams(url.split('?')[1]).get('token') ?? ''
    const bytes = Buffer.from(token, 'base64url')
    for (const other of [
      // To another copy, and to the image itself.
      Buffer.concat([bytes.subarray(0, -'preview'.length), Buffer.from('thumbnail')]),
      bytes.subarray(0, -' preview'.length),
      Buffer.concat([bytes.subarray(0, -'preview'.length), Buffer.from('original')]),
    ]) {
      const path = `${url.split('?')[0]}?token=${other.toString('base64url')}`
      expectProblem(t, await request({ url: path }), invalid)
    }
    const whole = pathOf((await share({})).json())
    t.equal((await request({ url: whole })).headers['content-type'], 'image/jpeg')

    const text = await createFullFile(app, as, 'not an image')
    expectProblem(t, await share({ variant: 'thumbnail' }, text), UNAVAILABLE)
    expectProblem(t, await share({ variant: '4000x4000' }), { status: 400, code: 'validation_failed' })
    await putContent(app, as, file, await imageOf(500, 250))
    expectProblem(t, await request({ url }), invalid)
  })

  await t.test('belong to the content, and go with it', async (t) => {
    const file = await createFullFile(app, as, await imageOf(400, 400))
    const url = `${file}/variants/thumbnail`
    await request({ url, as })
    await makeAll()
    const first = await request({ url, as })
    t.equal(first.statusCode, 200)
    await putContent(app, as, file, await imageOf(500, 250))
    t.equal((await request({ url, as })).statusCode, 202, 'another content has none yet')
    await makeAll()
    t.match(await sharp((await request({ url, as })).rawPayload).metadata(), { width: 320, height: 160 })

    const before = await usage()
    await request({ method: 'DELETE', url: `${file}?permanently=true`, as })
    t.ok((await usage()) <= before - 2 * 4096, 'the space of both is free')
    await sweep(app)
    const known = await db.query<{ key: string }>('SELECT key FROM stored_objects ORDER BY key')
    t.same(
      await keysOf(app),
      known.map(({ key }) => key),
    )
  })

  await t.test('asked for, and deleted before they are made', async (t) => {
    const file = await createFullFile(app, as, await imageOf(400, 400))
    await request({ url: `${file}/variants/thumbnail`, as })
    await request({ method: 'DELETE', url: `${file}?permanently=true`, as })
    await makeAll()
    await sweep(app)
    await makeAll()
    t.same(await db.query("SELECT 1 FROM object_variants WHERE state = 'making'"), [])
  })

  await t.test('are not made of what is not an image, or a broken one', async (t) => {
    const text = await createFullFile(app, as, 'not an image')
    expectProblem(t, await request({ url: `${text}/variants/thumbnail`, as }), UNAVAILABLE)
    const svg = await createFullFile(app, as, '<svg xmlns="http://www.w3.org/2000/svg"/>')
    expectProblem(t, await request({ url: `${svg}/variants/thumbnail`, as }), UNAVAILABLE)
    const broken = await createFullFile(app, as, (await imageOf(400, 400)).subarray(0, 200))
    const url = `${broken}/variants/thumbnail`
    t.equal((await request({ url, as })).statusCode, 202)
    await makeAll()
    expectProblem(t, await request({ url, as }), UNAVAILABLE)
    t.equal(await makeAll(), 0, 'it is not tried again')
    t.match(
      test.logs().filter(({ msg }) => msg === 'no copy can be made of an image'),
      [{ level: 'info', key: String, err: { type: 'ImageRefused' } }],
    )
    t.match(await app.metrics.getSingleMetricAsString('file_variants_total'), /outcome="impossible"\} 1$/m)
    const empty = await createFile(app, as)
    expectProblem(t, await request({ url: `${empty}/variants/thumbnail`, as }), {
      status: 409,
      code: 'file_without_content',
    })
  })

  await t.test('a job that was lost is made up for', async (t) => {
    const file = await createFullFile(app, as, await imageOf(400, 400))
    const url = `${file}/variants/thumbnail`
    await request({ url, as })
    await tasks()
    await request({ url, as })
    t.equal(await makeAll(), 0)
    await db.query(
      "UPDATE object_variants SET updated_at = now() - interval '11 minutes' WHERE state = 'making'",
    )
    await request({ url, as })
    t.equal(await makeAll(), 1)
    t.equal((await request({ url, as })).statusCode, 200)
  })

  await t.test('a job that runs twice leaves one copy', async (t) => {
    const file = await createFullFile(app, as, await imageOf(400, 400))
    const url = `${file}/variants/thumbnail`
    await request({ url, as })
    const [job] = await tasks()
    if (job === undefined) throw new Error('there is no job')
    const { data } = job
    await Promise.all([
      makeVariantJob.handler(app.ctx, data, RUN),
      makeVariantJob.handler(app.ctx, data, RUN),
    ])
    await sweep(app)
    const known = await db.query<{ key: string }>('SELECT key FROM stored_objects ORDER BY key')
    t.same(
      await keysOf(app),
      known.map(({ key }) => key),
    )
  })

  await t.test('a store that is away is asked again', async (t) => {
    const file = await createFullFile(app, as, await imageOf(400, 400))
    const url = `${file}/variants/thumbnail`
    await request({ url, as })
    const [job] = await tasks()
    if (job === undefined) throw new Error('there is no job')
    const read = () => Promise.reject(new Error('the store is away'))
    const store = Object.assign(Object.create(app.ctx.storage.store ?? null), { read })
    const away = { ...app.ctx, storage: { ...app.ctx.storage, store } }
    await t.rejects(makeVariantJob.handler(away, job.data, RUN), { message: /store of files/ })
    const cut = Readable.from(
      (async function* () {
        yield Buffer.from('GIF89a')
        throw new Error('the connection ended')
      })(),
      { objectMode: false },
    )
    const cutting = Object.assign(Object.create(app.ctx.storage.store ?? null), { read: async () => cut })
    const broken = { ...app.ctx, storage: { ...app.ctx.storage, store: cutting } }
    await t.rejects(makeVariantJob.handler(broken, job.data, RUN), { message: 'the connection ended' })
    const before = await db.query('SELECT key, state FROM stored_objects ORDER BY key')
    const write = () => Promise.reject(new Error('the store is full'))
    const full = Object.assign(Object.create(app.ctx.storage.store ?? null), { write })
    const filled = { ...app.ctx, storage: { ...app.ctx.storage, store: full } }
    await t.rejects(makeVariantJob.handler(filled, job.data, RUN), { message: /store of files/ })
    t.strictSame(await db.query('SELECT key, state FROM stored_objects ORDER BY key'), before)
    await makeVariantJob.handler(app.ctx, job.data, RUN)
    t.equal((await request({ url, as })).statusCode, 200)
  })

  await t.test('avatars are squares', async (t) => {
    const url = '/api/v1/users/me/avatar'
    expectProblem(t, await request({ url: `${url}/variants/thumbnail`, as }), {
      status: 404,
      code: 'file_not_found',
    })
    await app.inject({ method: 'PUT', url, headers: as.headers, payload: await imageOf(400, 200) })
    t.equal((await request({ url: `${url}/variants/thumbnail`, as })).statusCode, 202)
    await makeAll()
    const made = await request({ url: `${url}/variants/thumbnail`, as })
    t.match(await sharp(made.rawPayload).metadata(), { width: 96, height: 96 })
  })

  await t.test("of an organization's files, also when its space is used up", async (t) => {
    const { owner, url: org, organization } = await createOrganization(app)
    const file = await createFullFile(app, owner, await imageOf(400, 400), { url: `${org}/files` })
    await db.query('UPDATE storage_usage SET max_bytes = 0 WHERE space_id = $1', [organization.id])
    const url = `${file}/variants/thumbnail`
    await request({ url, as: owner })
    await makeAll()
    t.equal((await request({ url, as: owner })).statusCode, 200)
  })
})

t.test('a worker makes them, within its limits', async (t) => {
  const { app, request, signUp } = await createTestApp(t, {
    APP_ROLE: 'all',
    APP_FILES__DIRECTORY: t.testdir(),
    APP_FILES__THUMBNAILS__MAX_PIXELS: '100000',
    APP_FILES__THUMBNAILS__MAX_SIZE: '20KiB',
    APP_FILES__THUMBNAILS__MAX_MEMORY: '256MiB',
  })
  const as = await signUp()
  const file = await createFullFile(app, as, await imageOf(300, 300))
  const large = await createFullFile(app, as, await imageOf(400, 400))
  const heavy = await createFullFile(app, as, Buffer.concat([await imageOf(30, 30), Buffer.alloc(21_000)]))
  const statusOf = async (url: string) => (await request({ url: `${url}/variants/thumbnail`, as })).statusCode
  t.equal(await statusOf(heavy), 404)
  await eventually(async () => (await statusOf(file)) === 200)
  await eventually(async () => (await statusOf(large)) === 404)
})

t.test('a service that makes none', async (t) => {
  const env = { APP_FILES__DIRECTORY: t.testdir(), APP_FILES__THUMBNAILS__ENABLED: 'false' }
  const { app, request, signUp } = await createTestApp(t, env)
  const as = await signUp()
  const file = await createFullFile(app, as, await imageOf(300, 300))
  expectProblem(t, await request({ url: `${file}/variants/thumbnail`, as }), UNAVAILABLE)
})
