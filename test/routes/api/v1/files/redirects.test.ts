import { Readable } from 'node:stream'
import t from 'tap'
import { createFile, createFullFile, keysOf, putContent, sweep } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { STORES, startBucket } from '#test/support/s3-stores.ts'

for (const store of STORES)
  t.test(`content that ${store.name} sends itself`, { skip: store.skip }, async (t) => {
    const settings = await store.begin(t)
    const { app, request, signUp } = await createTestApp(t, {
      ...settings,
      APP_FILES__S3__DOWNLOAD: 'redirect',
      APP_ROLE: 'web',
    })
    const as = await signUp()

    await t.test('for a minute, with our type and disposition', async (t) => {
      const file = await createFullFile(app, as, 'plain text', { name: 'caf\u00e9 "1".txt' })
      const found = await request({ url: `${file}/content`, as })
      t.match(found, { statusCode: 302, headers: { 'cache-control': 'no-store' } })
      const { location } = found.headers
      t.match(location, /X-Amz-Expires=60/)
      const answer = await fetch(String(location))
      t.equal(answer.status, 200)
      t.equal(await answer.text(), 'plain text')
      t.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
      t.equal(
        answer.headers.get('content-disposition'),
        `inline; filename="caf_ _1_.txt"; filename*=UTF-8''caf%C3%A9%20%221%22.txt`,
      )
      const part = await fetch(String(location), { headers: { range: 'bytes=0-4' } })
      t.match(part, { status: 206 })
      t.equal(await part.text(), 'plain')
      const changed = String(location).replace('plain', 'html')
      t.equal((await fetch(changed)).status, 403, 'nothing of it can be changed')
      for (const method of ['PUT', 'DELETE'])
        t.equal((await fetch(String(location), { method })).status, 403, method)
    })

    await t.test('what browsers could run is for saving only', async (t) => {
      const file = await createFullFile(app, as, '<script>alert(1)</script>', { name: 'a.html' })
      const { location } = (await request({ url: `${file}/content`, as })).headers
      const answer = await fetch(String(location))
      t.equal(answer.headers.get('content-type'), 'application/octet-stream')
      t.match(answer.headers.get('content-disposition'), /^attachment/)
      await answer.arrayBuffer()
    })

    await t.test('conditions and HEAD are answered by the service', async (t) => {
      const file = await createFullFile(app, as, 'conditions')
      const url = `${file}/content`
      const head = await request({ method: 'HEAD', url, as })
      t.match(head, { statusCode: 200, headers: { 'content-length': '10' } })
      const etag = String(head.headers.etag)
      t.equal((await request({ url, as, headers: { 'if-none-match': etag } })).statusCode, 304)
      t.match(await request({ url, as, headers: { 'if-match': etag } }), {
        statusCode: 200,
        body: 'conditions',
      })
      const range = { range: 'bytes=3-4', 'if-range': etag }
      t.match(await request({ url, as, headers: range }), { statusCode: 206, body: 'di' })
      t.equal((await request({ url, as, headers: { range: 'bytes=10-' } })).statusCode, 416)
      const empty = await createFullFile(app, as, '')
      t.match(await request({ url: `${empty}/content`, as }), { statusCode: 200, body: '' })
    })

    await t.test('links lead there too', async (t) => {
      const file = await createFullFile(app, as, 'shared')
      const options = { method: 'POST', url: `${file}/links`, as, payload: { download: true } } as const
      const { url } = (await request(options)).json()
      const { location } = (await request({ url: url.replace(/^https?:\/\/[^/]+/, '') })).headers
      const answer = await fetch(String(location))
      t.match(answer.headers.get('content-disposition'), /^attachment/)
      t.equal(await answer.text(), 'shared')
    })

    await t.test('the store takes parts, and what is deleted is gone', async (t) => {
      const file = await createFile(app, as)
      const content = Buffer.alloc(20 * 1024 * 1024, 'x')
      const chunked = { ...as.headers, 'transfer-encoding': 'chunked' }
      // The store frees what it is given.
      const payload = Readable.from([Buffer.from(content)])
      const put = await app.inject({ method: 'PUT', url: `${file}/content`, headers: chunked, payload })
      t.match(put.json(), { size: content.length })
      const { location } = (await request({ url: `${file}/content`, as })).headers
      t.ok(Buffer.from(await (await fetch(String(location))).arrayBuffer()).equals(content))
      await putContent(app, as, file, 'small')
      await sweep(app)
      t.equal((await fetch(String(location))).status, 404)
      const { data } = (await request({ url: '/api/v1/files?limit=100', as })).json()
      for (const { id } of data)
        await request({ method: 'DELETE', url: `/api/v1/files/${id}?permanently=true`, as })
      await sweep(app)
      t.same(await keysOf(app), [])
    })
  })

t.test('the host of the URLs is the one that clients reach', async (t) => {
  const { app, request, signUp } = await createTestApp(t, {
    ...(await startBucket(t)),
    APP_FILES__S3__DOWNLOAD: 'redirect',
    APP_FILES__S3__PUBLIC_ENDPOINT: 'https://objects.example.com',
    APP_FILES__S3__PREFIX: 'files/',
  })
  const as = await signUp()
  const file = await createFullFile(app, as, 'elsewhere')
  const { location } = (await request({ url: `${file}/content`, as })).headers
  t.match(location, /^https:\/\/objects\.example\.com\/bucket\/files\/[0-9a-f]{32}\?/)
})
