import t, { type Test } from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, createFullFile, putContent } from '#test/support/files.ts'
import { createTestApp, type TestApp, type TestUser } from '#test/support/helper.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex')

/** Contents that browsers might run, and what they are taken for. */
const HOSTILE: readonly (readonly [content: string | Buffer, type: string])[] = [
  ['<html><script>alert(1)</script>', 'text/html'],
  ['\ufeff  <!DOCTYPE html><p>', 'text/html'],
  ['<!-- a --><!-- b -->\n<script>1</script>', 'text/html'],
  ['<!-- without end <script>', 'text/html'],
  [Buffer.from('\ufeff<html>', 'utf16le'), 'text/html'],
  [Buffer.from('\ufeff<html>', 'utf16le').swap16(), 'text/html'],
  ['<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'image/svg+xml'],
  ['<?xml version="1.0"?><!-- x --><svg onload="alert(1)"/>', 'image/svg+xml'],
  ['<?xml version="1.0"?><x/>', 'application/xml'],
  [`${'<!---->'.repeat(500)}x`, 'text/plain'],
]

t.test('content', async (t) => {
  const test = await createTestApp(t)
  const { app, request, signUp } = test
  const as = await signUp()
  const text = '0123456789'
  const file = await createFullFile(app, as, text, { name: 'digits.txt' })
  const url = `${file}/content`
  const whole = await request({ url, as })
  const etag = String(whole.headers.etag)
  const modified = String(whole.headers['last-modified'])

  await t.test('all of it, with what browsers must know', async (t) => {
    t.match(whole.headers, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '10',
      'content-disposition': 'inline; filename="digits.txt"',
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'content-security-policy': /sandbox/,
      'x-content-type-options': 'nosniff',
    })
    t.match(etag, /^"[\w-]{22}"$/)
    const head = await request({ method: 'HEAD', url, as })
    t.equal(head.body, '')
    const { 'x-request-id': _one, date: _when, ...ofGet } = whole.headers
    const { 'x-request-id': _other, date: _then, ...ofHead } = head.headers
    t.same(ofHead, ofGet, 'HEAD has the same headers')
  })

  const CASES: readonly (readonly [headers: Record<string, string>, status: number, body?: string])[] = [
    [{ range: 'bytes=0-0' }, 206, '0'],
    [{ range: 'bytes=2-4' }, 206, '234'],
    [{ range: 'bytes=7-' }, 206, '789'],
    [{ range: 'bytes=7-100' }, 206, '789'],
    [{ range: 'bytes=-3' }, 206, '789'],
    [{ range: 'bytes=-100' }, 206, text],
    [{ range: 'Bytes = 1 - 2 ' }, 206, '12'],
    [{ range: 'bytes=10-' }, 416],
    [{ range: 'bytes=-0' }, 416],
    [{ range: 'bytes=4-2' }, 200, text],
    [{ range: 'bytes=0-1,4-5' }, 200, text],
    [{ range: 'bytes=a-b' }, 200, text],
    [{ range: 'lines=1-2' }, 200, text],
    [{ range: `bytes=${'9'.repeat(100)}-` }, 200, text],
    [{ range: 'bytes=0-1', 'if-range': etag }, 206, '01'],
    [{ range: 'bytes=0-1', 'if-range': `W/${etag}` }, 200, text],
    [{ range: 'bytes=0-1', 'if-range': '"another"' }, 200, text],
    [{ range: 'bytes=0-1', 'if-range': modified }, 206, '01'],
    [{ range: 'bytes=0-1', 'if-range': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 200, text],
    [{ range: 'bytes=0-1', 'if-none-match': etag }, 304, ''],
    [{ 'if-none-match': etag }, 304, ''],
    [{ 'if-none-match': `"x", W/${etag}` }, 304, ''],
    [{ 'if-none-match': etag.replace(/"$/, '-gzip"') }, 304, ''],
    [{ 'if-none-match': `W/${etag.replace(/"$/, '--br"')}` }, 304, ''],
    [{ 'if-none-match': '*' }, 304, ''],
    [{ 'if-none-match': '"x"' }, 200, text],
    [{ 'if-none-match': '"x"', 'if-modified-since': modified }, 200, text],
    [{ 'if-modified-since': modified }, 304, ''],
    [{ 'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 200, text],
    [{ 'if-modified-since': 'yesterday' }, 200, text],
    [{ 'if-match': etag }, 200, text],
    [{ 'if-match': '*' }, 200, text],
    [{ 'if-match': `W/${etag}` }, 412],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-match': etag, 'if-unmodified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 200, text],
    [{ 'if-unmodified-since': modified }, 200, text],
    [{ 'if-unmodified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 412],
  ]
  await t.test('ranges and conditions', async (t) => {
    for (const [headers, status, body] of CASES) {
      const name = JSON.stringify(headers)
      const response = await request({ url, headers, as })
      t.equal(response.statusCode, status, name)
      if (body !== undefined) t.match(response, { body, headers: { etag } }, name)
      if (status === 206) t.match(response.headers['content-range'], /^bytes \d+-\d+\/10$/)
      if (status === 416) t.equal(response.headers['content-range'], 'bytes */10')
      if (status >= 400) t.notOk(response.headers['content-disposition'], 'an error has no name of a file')
    }
    t.equal((await request({ method: 'HEAD', url, headers: { range: 'bytes=0-1' }, as })).statusCode, 200)
  })

  await t.test('what could run is saved, as bytes of no type', async (t) => {
    for (const [content, type] of HOSTILE) {
      const hostile = await createFullFile(app, as, content, { name: 'photo.png' })
      t.equal(
        (await request({ url: hostile, as })).json().media_type,
        type,
        JSON.stringify(content.toString()),
      )
      if (type === 'text/plain') continue
      t.match((await request({ url: `${hostile}/content`, as })).headers, {
        'content-type': 'application/octet-stream',
        'content-disposition': /^attachment; /,
      })
    }
    const image = await createFullFile(app, as, PNG, { name: 'page.html' })
    t.match((await request({ url: `${image}/content`, as })).headers, {
      'content-type': 'image/png',
      'content-disposition': 'inline; filename="page.html"',
    })
    const binary = await createFullFile(app, as, Buffer.from([0, 1, 2, 0xff]))
    t.equal((await request({ url: binary, as })).json().media_type, 'application/octet-stream')
  })

  await t.test('names are names, and end up nowhere else', async (t) => {
    for (const name of [
      '../../etc/passwd',
      'a\\b',
      'a\r\nSet-Cookie: b',
      'a\u0000b',
      'exe\u202egnp',
      '',
      'x'.repeat(256),
    ]) {
      const made = await request({ method: 'POST', url: '/api/v1/files', payload: { name }, as })
      t.equal(made.statusCode, 400, JSON.stringify(name))
    }
    const named = async (name: string) => {
      const full = await createFullFile(app, as, PNG, { name })
      return (await request({ url: `${full}/content`, as })).headers['content-disposition']
    }
    t.equal(
      await named('a "quoted"; name'),
      `inline; filename="a _quoted_; name"; filename*=UTF-8''a%20%22quoted%22%3B%20name`,
    )
    t.equal(
      await named('Prüfung (1).png'),
      `inline; filename="Pr_fung (1).png"; filename*=UTF-8''Pr%C3%BCfung%20%281%29.png`,
    )
    t.equal(await named('..a'), 'inline; filename="..a"')
    t.match(await named('x'.repeat(255)), /x{255}/)
  })

  await t.test('a packed body is refused, because nothing unpacks it', async (t) => {
    const put = await putContent(app, as, await createFile(app, as), 'x', { 'content-encoding': 'gzip' })
    expectProblem(t, put, { status: 415, code: 'unsupported_media_type' })
  })

  await t.test('a form is refused, because its boundaries would become part of the file', async (t) => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    const put = await putContent(app, as, await createFile(app, as), '--x--', headers)
    expectProblem(t, put, { status: 415, code: 'unsupported_media_type' })
  })

  await t.test('links', (t) => links(t, test, as))
})

async function links(t: Test, { app, db, request, signUp, logLines }: TestApp, as: TestUser): Promise<void> {
  const invalid = { status: 404, code: 'invalid_link' }
  const pathOf = (url: string) => url.replace(/^https?:\/\/[^/]+/, '')
  const share = async (file: string, payload: object = {}, by = as) => {
    const made = await request({ method: 'POST', url: `${file}/links`, payload, as: by })
    t.equal(made.statusCode, 200, made.body)
    return pathOf(made.json().url)
  }
  const file = await createFullFile(app, as, 'shared text', { name: 'a.txt' })

  await t.test('work for everybody, and until they end', async (t) => {
    const link = await share(file)
    const read = await request({ url: link, headers: { range: 'bytes=0-5' } })
    t.match(read, { statusCode: 206, body: 'shared' })
    t.equal(read.headers['cross-origin-resource-policy'], 'cross-origin')
    t.match((await request({ url: await share(file, { download: true }) })).headers, {
      'content-disposition': /^attachment/,
    })
    const token = link.split('token=')[1] ?? ''
    t.notOk(
      logLines.some((line) => line.includes(token)),
      'the token is in no log',
    )
  })

  await t.test('prove who issued them', async (t) => {
    const link = await share(file)
    const other = await createFullFile(app, await signUp(), 'another')
    for (const bad of [
      // A decoder skips some of these.
      ...['A', '=', '.', '!', '%20', '%0A', '~'].map((more) => link + more),
      link.replace('token=', 'token=.'),
      link.slice(0, -4),
      link.replace(/token=.*/, 'token=abc'),
      link.replace(String(file.split('/').at(-1)), String(other.split('/').at(-1))),
    ])
      expectProblem(t, await request({ url: bad }), invalid)
    const { now } = app.ctx
    Object.assign(app.ctx, { now: () => new Date(Date.now() + 901_000) })
    expectProblem(t, await request({ url: link }), invalid)
    Object.assign(app.ctx, { now })
    t.equal((await request({ url: link })).statusCode, 200)
  })

  await t.test('show people a page when they do not work, and ignore what programs add', async (t) => {
    const link = await share(file)
    t.equal((await request({ url: `${link}&utm_source=mail&fbclid=x` })).statusCode, 200)
    t.match(await request({ url: link.replace('?', '/?') }), { statusCode: 200, body: 'shared text' })
    const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
    t.match(await request({ url: link, headers: browser }), { statusCode: 200, body: 'shared text' })
    for (const [url, statusCode] of [
      [`${link}A`, 404],
      [link.replace('=', '%3D'), 400],
      [link.replace(/[?].*/, ''), 400],
      [link.replace(/[?].*/, '/'), 400],
    ] as const) {
      const page = await request({ url, headers: browser })
      t.match(page, { statusCode, headers: { 'content-type': /^text\/html/ } }, url)
      t.match(page.body, /This link does not work - Groundwork/)
      const [, style = ''] = /href="([^"]+account\.css)"/.exec(page.body) ?? []
      t.equal(new URL(style, `http://a${url}`).pathname, '/account/account.css')
      t.match((await request({ url })).headers, { 'content-type': /^application\/problem\+json/ })
    }
  })

  await t.test('end with the content, the file and the account', async (t) => {
    const link = await share(file)
    await putContent(app, as, file, 'another text')
    expectProblem(t, await request({ url: link }), invalid)
    const second = await share(file)
    await request({ method: 'DELETE', url: file, as })
    expectProblem(t, await request({ url: second }), invalid)
    const owner = await signUp()
    const third = await share(await createFullFile(app, owner, 'x'), {}, owner)
    t.equal((await request({ url: third })).statusCode, 200)
    await db.query('UPDATE users SET is_active = false WHERE id = $1', [owner.user.id])
    expectProblem(t, await request({ url: third }), invalid)
  })
}
