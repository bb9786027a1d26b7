import { request as send } from 'node:http'
import t from 'tap'
import type { DirectUpload } from '#schemas/uploads.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen } from '#test/support/raw-http.ts'
import { startS3 } from '#test/support/s3-server.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'
import { appendTo, createUpload, headOf, TUS } from '#test/support/uploads.ts'
import { startVersitygw, WITHOUT_VERSITYGW } from '#test/support/versitygw.ts'

const PART = 16 * 1024 * 1024

t.test('a store that joins the parts of an upload for longer than a proxy waits', async (t) => {
  const s3 = await startS3(t)
  const { app, request, signUp } = await createTestApp(t, {
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: 'bucket',
    APP_FILES__S3__ENDPOINT: s3.endpoint,
    APP_FILES__S3__ACCESS_KEY_ID: s3.credentials.AWS_ACCESS_KEY_ID,
    APP_FILES__S3__SECRET_ACCESS_KEY: s3.credentials.AWS_SECRET_ACCESS_KEY,
  })
  const port = await listen(app)
  const as = await signUp()

  /** Sends a request, and gives up as a proxy does, once the store has begun to join. */
  async function giveUp(
    method: string,
    path: string,
    headers: Record<string, string>,
    bytes = Buffer.alloc(0),
  ) {
    const url = `http://127.0.0.1:${port}${path}`
    const length = { 'content-length': String(bytes.length) }
    const sent = send(url, { method, headers: { ...as.headers, ...headers, ...length } })
    const closed = new Promise((resolve) => sent.once('close', resolve))
    sent.on('error', () => undefined)
    sent.end(bytes)
    const before = s3.joining()
    await eventually(async () => s3.joining() > before)
    sent.destroy()
    await closed
  }

  await t.test('by tus: HEAD waits for it, and then all is there', async (t) => {
    const content = Buffer.alloc(PART + 1, 'x')
    const upload = await createUpload(app, as, content.length)
    const first = content.subarray(0, PART)
    t.equal((await appendTo(app, as, upload, { offset: 0, bytes: Buffer.from(first) })).statusCode, 204)
    const joined = s3.holdJoins()
    const part = { ...TUS, 'upload-offset': String(PART), 'content-type': 'application/offset+octet-stream' }
    await giveUp('PATCH', upload, part, content.subarray(PART))
    const asked = headOf(app, as, upload)
    // It has taken over, and waits for the store, too.
    await eventually(async () => s3.joining() === 2)
    joined()
    t.match(await asked, { statusCode: 200, headers: { 'upload-offset': String(content.length) } })
    t.match(await headOf(app, as, upload), { headers: { 'upload-offset': String(content.length) } })
    const file = upload.replace('/uploads/', '/files/')
    t.match((await request({ url: file, as })).json(), { status: 'ready', size: content.length })
  })
})

t.test('a direct upload whose completion nobody heard of', { skip: WITHOUT_VERSITYGW }, async (t) => {
  const settings = await startVersitygw(t)
  const proxy = await startProxy(t, settings['APP_FILES__S3__ENDPOINT'] ?? '')
  const { request, signUp } = await createTestApp(t, {
    ...settings,
    APP_FILES__S3__ENDPOINT: proxy.url,
    APP_FILES__S3__PUBLIC_ENDPOINT: settings['APP_FILES__S3__ENDPOINT'] ?? '',
  })
  const as = await signUp()
  const payload = { name: 'film.mp4', size: PART + 1 }
  const made = await request({ method: 'POST', url: '/api/v1/direct-uploads', as, payload })
  const { id, parts }: DirectUpload = made.json()
  for (const { url, size } of parts)
    t.equal((await fetch(url, { method: 'PUT', body: Buffer.alloc(size, 'y') })).status, 200)
  const complete = () => request({ method: 'POST', url: `/api/v1/direct-uploads/${id}/complete`, as })
  const joined = proxy.withholdAnswer('<CompleteMultipartUpload')
  const waiting = complete()
  await joined
  t.match(await complete(), { statusCode: 202 }, 'it is complete for who asks again')
  const file = `/api/v1/files/${id}`
  await eventually(async () => (await request({ url: file, as })).json().status === 'ready')
  t.match((await request({ url: file, as })).json(), { size: PART + 1 })
  await proxy.restore()
  t.match(await waiting, { statusCode: 503 }, 'who has heard nothing is to ask again,')
  t.match(await complete(), { statusCode: 202 }, 'and then knows')
})
