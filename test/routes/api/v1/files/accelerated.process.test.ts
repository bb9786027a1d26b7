import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { amount } from '#test/support/amount.ts'
import { conditionsOfReads, filledIn } from '#test/support/conditions.ts'
import { createFullFile, putContent } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { type Answer, call } from '#test/support/http.ts'
import { startShippedNginx, WITHOUT_NGINX } from '#test/support/nginx.ts'
import { listen } from '#test/support/raw-http.ts'

const RUNS = amount({ few: 300, many: 10_000 })
const PREFIX = '/stored-files/'

/** Headers that are of one answer and not of the content. */
const OWN = [
  'connection',
  'date',
  'keep-alive',
  'server',
  'x-request-id',
  'ratelimit-remaining',
  'ratelimit-reset',
]

const withoutOwn = ({ status, headers }: Answer) =>
  Object.fromEntries(
    Object.entries(headers)
      // nginx does not say it again with a part.
      .filter(([name]) => !OWN.includes(name) && !(status === 206 && name === 'accept-ranges'))
      .sort(([a], [b]) => a.localeCompare(b)),
  )

t.test('nginx sends the contents of files for the service', { skip: WITHOUT_NGINX }, async (t) => {
  const directory = t.testdir({ files: {} })
  const files = join(directory, 'files')
  const { app, request, signUp } = await createTestApp(t, {
    APP_FILES__DIRECTORY: files,
    APP_FILES__ACCEL_PREFIX: PREFIX,
    APP_CORS__ALLOWED_ORIGINS: 'https://app.example.com',
    APP_RATE_LIMIT__PER_USER: '1000000',
    APP_RATE_LIMIT__PER_ADDRESS: '1000000',
    APP_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    APP_ROLE: 'web',
  })
  const service = `http://127.0.0.1:${await listen(app)}`
  const nginx = await startShippedNginx(t, [service, service], { files })
  const as = await signUp()
  const origin = { origin: 'https://app.example.com' }
  const { store } = app.ctx.storage
  if (!(store instanceof LocalStore)) throw new TypeError('the store is a directory')

  /** The same request past nginx, which the service answers itself, and through it. */
  const both = async (path: string, headers: Record<string, string> = {}) => {
    const all = { ...as.headers, ...headers }
    return [
      await call(service + path, { headers: all }),
      await call(nginx.plain + path, { headers: all }),
    ] as const
  }

  await t.test('with the headers that the service sends itself', async (t) => {
    for (const [name, content] of [
      ['caf\u00e9 "1".txt', 'plain text'],
      ['page.html', '<script>alert(1)</script>'],
      ['image.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'],
      ['noise', randomBytes(600_000)],
      ['empty', ''],
    ] as const) {
      const path = `${await createFullFile(app, as, content, { name })}/content`
      const [own, handed] = await both(path, origin)
      t.equal(handed.status, 200)
      t.same(withoutOwn(handed), withoutOwn(own), name)
      t.equal(handed.headers['x-accel-redirect'], undefined)
      t.equal(handed.text, own.text)
      const [part, handedPart] = await both(path, { ...origin, range: 'bytes=2-4' })
      t.equal(handedPart.status, content === '' ? 416 : 206)
      t.same(withoutOwn(handedPart), withoutOwn(part), `a part of ${name}`)
      t.equal(handedPart.text.slice(0, 3), part.text.slice(0, 3))
    }
  })

  await t.test('links too', async (t) => {
    const file = await createFullFile(app, as, 'shared', { name: 'a.txt' })
    const payload = { download: true }
    const link = (await request({ method: 'POST', url: `${file}/links`, as, payload })).json()
    const { pathname, search } = new URL(link.url)
    const [own, handed] = await both(pathname + search)
    t.match(handed, { status: 200, text: 'shared', headers: { 'content-disposition': /^attachment/ } })
    t.same(withoutOwn(handed), withoutOwn(own))
  })

  await t.test('what nginx is told is a path that clients cannot ask for', async (t) => {
    const file = await createFullFile(app, as, 'not for all')
    const headers = { 'x-accel-prefix': PREFIX }
    const told = await request({ url: `${file}/content`, as, headers })
    t.match(told, { statusCode: 200, body: '' })
    const path = String(told.headers['x-accel-redirect'])
    t.match(path, /^\/stored-files\/[0-9a-f]{2}\/[0-9a-f]{32}$/)
    t.match(await call(nginx.plain + path), { status: 404 })
    t.match(await call(`${nginx.plain}//stored-files/${path.slice(PREFIX.length)}`), { status: 404 })
    const wrong = await request({ url: `${file}/content`, as, headers: { 'x-accel-prefix': '/other/' } })
    t.match(wrong, { statusCode: 200, body: 'not for all' })
    const key = path.slice(-32)
    t.equal((await stat(join(files, key.slice(0, 2), key))).mode & 0o777, 0o640)
    t.equal((await stat(join(files, key.slice(0, 2)))).mode & 0o777, 0o750)
  })

  await t.test('conditions and ranges are answered alike', async (t) => {
    const content = Array.from({ length: 300 }, (_, n) => String(n % 10)).join('')
    const path = `${await createFullFile(app, as, content)}/content`
    const [{ headers: about }] = await both(path)
    const written = new Date(String(about['last-modified']))
    for (const given of fc.sample(conditionsOfReads, { numRuns: RUNS, seed: 2 })) {
      const [own, handed] = await both(path, filledIn(given, { etag: about.etag, written }))
      const seen = (answer: Answer) => ({
        status: answer.status,
        headers: answer.status < 400 ? withoutOwn(answer) : answer.headers['content-range'],
      })
      t.same(seen(handed), seen(own), JSON.stringify(given))
      if (own.status < 300) t.equal(handed.text, own.text)
    }
  })

  await t.test('what cannot be read is a problem document', async (t) => {
    const file = await createFullFile(app, as, 'lost')
    const key = (await request({ url: `${file}/content`, as, headers: { 'x-accel-prefix': PREFIX } }))
      .headers['x-accel-redirect']
    await store.remove(String(key).slice(-32))
    const [own, handed] = await both(`${file}/content`)
    t.match(handed, { status: 503, headers: { 'content-type': /^application\/problem\+json/ } })
    t.equal(JSON.parse(handed.text).code, JSON.parse(own.text).code)
    await putContent(app, as, file, 'there again')
    t.match((await both(`${file}/content`))[1], { status: 200, text: 'there again' })
  })
  t.equal(nginx.errors(), '')
})
