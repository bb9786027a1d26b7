import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { amount } from '#test/support/amount.ts'
import { startChromium, withoutChromium } from '#test/support/chromium.ts'
import { startCuttingProxy } from '#test/support/cutting-proxy.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFullFile } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { listen } from '#test/support/raw-http.ts'

const ROOT = join(import.meta.dirname, '../../../../..')

/** The example of docs/api/uploads.md, as it stands there. */
async function example(): Promise<string> {
  const document = await readFile(join(ROOT, 'docs/api/uploads.md'), 'utf8')
  return /```js\n(import \{ Upload \}.+?)```/s.exec(document)?.[1] ?? ''
}

/** Serves a page, and libraries by their paths; it ends with `t`. */
async function servePages(t: Test, page: () => string, library: string): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const isLibrary = url.endsWith('.js')
    response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html')
    response.end(isLibrary ? library : page())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the example in a browser, through cuts, at two instances', { skip: withoutChromium }, async (t) => {
  const library = await readFile(join(ROOT, 'node_modules/tus-js-client/dist/tus.min.js'), 'utf8')
  let page = ''
  const origin = await servePages(t, () => page, library)
  const settings = { APP_CORS__ALLOWED_ORIGINS: origin, APP_FILES__DIRECTORY: t.testdir() }
  const one = await createTestApp(t, settings)
  const other = await startInstance(t, one.db, settings)
  const as = await one.signUp()
  const ports = [await listen(one.app), await listen(other)]
  const proxy = await startCuttingProxy(t, { ports, within: 3_000_000 })
  const code = (await example())
    .replace(/^import .+\n/, 'const { Upload } = tus\n')
    .replace('https://api.example.com', proxy.url)
    .replace(
      'retryDelays: [0, 1000, 3000, 5000, 10000, 20000]',
      `retryDelays: ${JSON.stringify(Array(200).fill(50))}`,
    )
  t.match(code, proxy.url)
  page = `<script src="/tus.js"></script><script type="module">
    const told = window.told = { progress: 0, errors: [], urls: [] }
    const bar = { set value(bytes) { told.progress = bytes } }
    const show = (message) => told.errors.push(message)
    const console = { log: (url) => told.urls.push(url) }
    const accessToken = async () => ${JSON.stringify(as.headers.authorization.replace('Bearer ', ''))}
    const bytes = new Uint8Array(8_000_000).map((_, index) => (index * 7) % 251)
    const file = new File([bytes], 'caf\\u00e9.bin')
    ${code}
  </script>`
  const tab = await (await startChromium(t)).newPage()
  await tab.goto(origin)
  const told = () => tab.evaluate<{ errors: string[]; urls: string[]; progress: number }>('window.told')
  await eventually(async () => {
    const { errors, urls } = await told()
    return errors.length + urls.length > 0
  })
  const { errors, urls, progress } = await told()
  t.same(errors, [])
  t.equal(progress, 1)
  // Where connections are cut is left to chance.
  t.comment(`${proxy.cuts} cuts`)
  const file = new URL(urls[0] ?? '').pathname
  const { name, sha256, status } = (await one.request({ url: file, as })).json()
  const bytes = Uint8Array.from({ length: 8_000_000 }, (_, index) => (index * 7) % 251)
  const digest = createHash('sha256').update(bytes).digest('hex')
  t.same({ name, sha256, status }, { name: 'café.bin', sha256: digest, status: 'ready' })
})

const SCRIPT = '<script>document.title = "ran"; top.document.title = "ran"</script>'
const RUNS = 'document.title = "ran"'

/** Contents that are one type to a program, and another to a browser that looks for itself. */
function polyglots(): [name: string, content: Buffer][] {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload='${RUNS}'><script>${RUNS}</script></svg>`
  const html = `<html><body>${SCRIPT}<img src=x onerror='${RUNS}'></body></html>`
  const beginnings: Record<string, Buffer> = {
    gif: Buffer.from('GIF89a/*'),
    png: Buffer.from('89504e470d0a1a0a', 'hex'),
    jpeg: Buffer.from('ffd8ffe000104a464946000101', 'hex'),
    pdf: Buffer.from('%PDF-1.4\n'),
    zip: Buffer.from('504b0304', 'hex'),
    webp: Buffer.from('RIFF\x10\0\0\0WEBPVP8 '),
    mp4: Buffer.from('000000186674797069736f6d', 'hex'),
    bom: Buffer.from('efbbbf', 'hex'),
    blanks: Buffer.from(' \n\t\r'),
    comment: Buffer.from('<!-- -->'),
    nothing: Buffer.alloc(0),
    nul: Buffer.from([0]),
  }
  const bodies: Record<string, string> = {
    html,
    svg,
    xml: `<?xml version="1.0"?>${svg}`,
    js: `*/=1;${RUNS}//`,
    xhtml: `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>${RUNS}</script></html>`,
  }
  const seconds = Object.entries(bodies)
  // Each with one, so that all are there; in the long run each with each.
  const partners = amount({ few: 1, many: seconds.length })
  const made = Object.entries(beginnings).flatMap(([first, bytes], index) =>
    seconds
      .filter((_, place) => (index + place) % seconds.length < partners)
      .map(([second, body]): [string, Buffer] => [
        `${first}.${second}`,
        Buffer.concat([bytes, Buffer.from(body)]),
      ]),
  )
  const wide = Buffer.from(`\ufeff${html}`, 'utf16le')
  return [...made, ['utf16.html', wide], ['utf16be.html', Buffer.from(wide).swap16()]]
}

t.test('no polyglot runs on the origin of the files', { skip: withoutChromium }, async (t) => {
  const { app, request, signUp } = await createTestApp(t, {
    APP_FILES__DIRECTORY: t.testdir(),
    APP_RATE_LIMIT__ENABLED: 'false',
  })
  const as = await signUp()
  const origin = `http://127.0.0.1:${await listen(app)}`
  const browser = await startChromium(t)
  const context = await browser.newContext()
  await context.addCookies([{ name: 'session', value: 'secret', url: origin }])
  const all = polyglots()
  t.ok(all.length >= amount({ few: 14, many: 60 }), `${all.length} of them`)
  for (const [name, content] of all) {
    const file = await createFullFile(app, as, content, { name })
    const link = (await request({ method: 'POST', url: `${file}/links`, as, payload: {} })).json()
    const url = link.url.replace(/^https?:\/\/[^/]+/, origin)
    const page = await context.newPage()
    const ran: string[] = []
    page.on('dialog', (dialog) => void dialog.dismiss())
    // What is for saving ends the navigation, as a download.
    await page.goto(url).catch(() => undefined)
    ran.push(await page.title())
    // Embedded in a page of the same origin, as a frame, an image, a script and a style.
    await page.goto(`${origin}/live`)
    await page.setContent(
      ['iframe', 'img', 'embed'].map((tag) => `<${tag} src="${url}"></${tag}>`).join('') +
        `<object data="${url}"></object><script src="${url}"></script>`,
    )
    ran.push(await page.title())
    t.notOk(ran.includes('ran'), name)
    await page.close()
  }
})
