import { createHash, randomBytes } from 'node:crypto'
import { type ClientRequest, request as send } from 'node:http'
import t from 'tap'
import * as tus from 'tus-js-client'
import { eventually } from '#test/support/eventually.ts'
import { createFile } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { startShippedNginx, WITHOUT_NGINX } from '#test/support/nginx.ts'
import { listen } from '#test/support/raw-http.ts'
import { createUpload, TUS } from '#test/support/uploads.ts'

/** More than nginx takes for other routes, and than its buffers have. */
const SIZE = 3_000_000

/** Begins a request with a body; `answer` resolves with the whole response. */
function begin(url: string, options: { method: string; headers: Record<string, string> }) {
  const { promise: answer, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const sent: ClientRequest = send(url, options, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
  })
  sent.on('error', reject)
  return { sent, answer }
}

t.test('uploads through the nginx that we ship', { skip: WITHOUT_NGINX }, async (t) => {
  const settings = {
    APP_FILES__DIRECTORY: t.testdir({}),
    APP_FILES__MAX_SIZE: `${SIZE}B`,
    APP_RATE_LIMIT__ENABLED: 'false',
    APP_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    APP_ROLE: 'web',
  }
  const { app, db, request, signUp } = await createTestApp(t, settings)
  const other = await startInstance(t, db, settings)
  const [first, second] = [await listen(app), await listen(other)].map((port) => `http://127.0.0.1:${port}`)
  const { plain } = await startShippedNginx(t, [first ?? '', second ?? ''])
  const as = await signUp()
  const bytes = randomBytes(SIZE)

  await t.test('by tus-js-client, in one request and in parts', async (t) => {
    for (const chunkSize of [Number.POSITIVE_INFINITY, 400_000]) {
      const url = await new Promise<string>((resolve, reject) => {
        const upload = new tus.Upload(bytes, {
          endpoint: `${plain}/api/v1/uploads`,
          headers: as.headers,
          metadata: { filename: 'a film' },
          chunkSize,
          onSuccess: () => resolve(upload.url ?? ''),
          onError: reject,
        })
        upload.start()
      })
      t.match(url, `${plain}/api/v1/uploads/`)
      const file = await request({ url: new URL(url).pathname.replace('/uploads/', '/files/'), as })
      t.match(file.json(), { status: 'ready', sha256: createHash('sha256').update(bytes).digest('hex') })
    }
  })

  await t.test('with the creation of a file, in one request', async (t) => {
    const url = `${plain}/api/v1/files/content?name=a%20film`
    const made = await fetch(url, { method: 'POST', headers: as.headers, body: bytes })
    t.equal(made.status, 201)
    t.match(await made.json(), { name: 'a film', sha256: createHash('sha256').update(bytes).digest('hex') })
  })

  await t.test('nginx passes on what has come, and keeps nothing', async (t) => {
    const upload = await createUpload(app, as, SIZE)
    const headers = {
      ...as.headers,
      ...TUS,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': String(SIZE),
    }
    const { sent, answer } = begin(plain + upload, { method: 'PATCH', headers })
    sent.write(bytes.subarray(0, SIZE / 2))
    await eventually(async () => (await request({ url: upload, as })).json().offset > 0)
    sent.end(bytes.subarray(SIZE / 2))
    t.match(await answer, { status: 204 })
  })

  await t.test('what is too large is refused by the service, before it comes', async (t) => {
    const file = await createFile(app, as)
    const length = { 'content-length': String(SIZE + 1) }
    const { sent, answer } = begin(`${plain}${file}/content`, {
      method: 'PUT',
      headers: { ...as.headers, ...length },
    })
    sent.flushHeaders()
    const { status, text } = await answer
    t.match({ status, code: JSON.parse(text).code }, { status: 413, code: 'file_too_large' })
    sent.destroy()
  })
})
