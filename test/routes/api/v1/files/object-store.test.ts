import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import t from 'tap'
import { createFile, createFullFile, keysOf, sweep } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startS3 } from '#test/support/s3-server.ts'
import { appendTo, createUpload } from '#test/support/uploads.ts'

t.test('files in an object store: written, read in parts, replaced, removed', async (t) => {
  const s3 = await startS3(t)
  const { app, request, signUp } = await createTestApp(t, {
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: 'bucket',
    APP_FILES__S3__PREFIX: 'files/',
    APP_FILES__S3__ENDPOINT: s3.endpoint,
    APP_FILES__S3__REGION: 'eu-test-1',
    APP_FILES__S3__MEMORY: '16MiB',
    APP_FILES__S3__ACCESS_KEY_ID: s3.credentials.AWS_ACCESS_KEY_ID,
    APP_FILES__S3__SECRET_ACCESS_KEY: s3.credentials.AWS_SECRET_ACCESS_KEY,
    APP_FILES__PUBLIC_URL: 'https://files.example.com',
    APP_FILES__LINK_LIFETIME: '1m',
    APP_FILES__TRASH: '1d',
  })
  const as = await signUp()
  const file = await createFullFile(app, as, 'in a bucket')
  const read = (range: string) => request({ url: `${file}/content`, headers: { range }, as })
  t.match(await read('bytes=3-3'), { statusCode: 206, body: 'a' })
  t.match(await read('none'), { statusCode: 200, body: 'in a bucket' })
  const chunked = await createFile(app, as)
  const put = await app.inject({
    method: 'PUT',
    url: `${chunked}/content`,
    headers: { ...as.headers, 'transfer-encoding': 'chunked' },
    payload: Readable.from([Buffer.alloc(9 * 1024 * 1024)]),
  })
  t.match(put.json(), { size: 9 * 1024 * 1024 }, put.body)

  const [first, rest] = [Buffer.alloc(5 * 1024 * 1024, 'first'), Buffer.alloc(4 * 1024 * 1024 + 3, 'rest')]
  const sha256 = createHash('sha256').update(first).update(rest).digest('hex')
  const [half, size] = [first.length, first.length + rest.length]
  const upload = await createUpload(app, as, size)
  t.match(await appendTo(app, as, upload, { offset: 0, bytes: first }), { statusCode: 204 })
  t.match(await appendTo(app, as, upload, { offset: half, bytes: rest }), { statusCode: 204 })
  const resumed = upload.replace('/uploads/', '/files/')
  t.match((await request({ url: resumed, as })).json(), { status: 'ready', size, sha256 })
  t.equal((await keysOf(app)).length, 3)

  const link = (await request({ method: 'POST', url: `${file}/links`, payload: {}, as })).json()
  t.match(link.url, /^https:\/\/files\.example\.com\/api\/v1\/shared-files\//)
  t.ok(Date.parse(link.expires_at) <= Date.now() + 60_000, "the service's own limit is shorter")

  for (const url of [file, chunked, resumed])
    t.equal((await request({ method: 'DELETE', url: `${url}?permanently=true`, as })).statusCode, 204)
  await sweep(app)
  t.equal(s3.objects.size, 0)
  t.equal(s3.uploads.size, 0)
})
