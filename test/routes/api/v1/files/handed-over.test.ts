import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createFullFile } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'

// With nginx, which then sends it: accelerated.process.test.ts.

t.test(
  'a content is handed over to the proxy that asks for it, unless it would answer otherwise',
  async (t) => {
    const files = join(t.testdir({ files: {} }), 'files')
    const env = { APP_ROLE: 'web', APP_FILES__DIRECTORY: files, APP_FILES__ACCEL_PREFIX: '/stored-files/' }
    const { app, request, signUp } = await createTestApp(t, env)
    const as = await signUp()
    const url = `${await createFullFile(app, as, '0123456789', { name: 'a.txt' })}/content`
    const own = await request({ url, as })
    const etag = String(own.headers.etag)
    const modified = String(own.headers['last-modified'])
    const get = (headers: Record<string, string> = {}) =>
      request({ url, as, headers: { 'x-accel-prefix': '/stored-files/', ...headers } })

    const handed = await get()
    const path = String(handed.headers['x-accel-redirect'])
    t.match(path, /^\/stored-files\/[0-9a-f]{2}\/[0-9a-f]{32}$/)
    t.match(handed, { statusCode: 200, body: '' })
    for (const name of [
      'etag',
      'last-modified',
      'content-type',
      'content-disposition',
      'content-security-policy',
    ])
      t.equal(handed.headers[name], own.headers[name], name)
    const [, , folder = '', key = ''] = path.split('/')
    t.equal((await stat(join(files, folder, key))).mode & 0o777, 0o640, 'its group may read it')
    t.equal((await stat(join(files, folder))).mode & 0o777, 0o750)

    t.equal((await get({ range: 'bytes=2-4' })).headers['x-accel-redirect'], path, 'it sends the part')
    t.equal((await get({ 'if-none-match': '"another"' })).headers['x-accel-redirect'], path)
    const answered: readonly (readonly [headers: Record<string, string>, status: number, body: string])[] = [
      [{ 'x-accel-prefix': '/other/' }, 200, '0123456789'],
      [{ 'if-match': etag }, 200, '0123456789'],
      [{ 'if-unmodified-since': modified }, 200, '0123456789'],
      [{ range: 'lines=1-2' }, 200, '0123456789'],
      [{ range: 'bytes=2-4', 'if-match': etag }, 206, '234'],
      [{ 'if-none-match': etag }, 304, ''],
    ]
    for (const [headers, status, body] of answered) {
      const answer = await get(headers)
      t.match(answer, { statusCode: status, body }, JSON.stringify(headers))
      t.equal(answer.headers['x-accel-redirect'], undefined)
    }
    const empty = `${await createFullFile(app, as, '', { name: 'b.txt' })}/content`
    const nothing = await request({ url: empty, as, headers: { 'x-accel-prefix': '/stored-files/' } })
    t.equal(nothing.headers['x-accel-redirect'], undefined)

    const { store } = app.ctx.storage
    await store?.remove(key)
    t.match(
      await get(),
      { statusCode: 503, headers: { 'x-accel-redirect': undefined } },
      'what is lost is told',
    )
  },
)
