import type { InjectOptions } from 'fastify'
import t from 'tap'
import { findFlaw } from '#plugins/http/body/flaws.ts'
import { createTestApp } from '#test/support/helper.ts'
import { isProblem, listen, respond } from '#test/support/raw-http.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

t.test('bodies', async (t) => {
  const { app, request, signUp, logs } = await createTestApp(t, { APP_SERVER__BODY_LIMIT: '2MiB' })
  const login = (body: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    request({ method: 'POST', url: '/api/v1/auth/login', headers, body })
  const valid = { email: 'ada@example.com', password: 'correct horse battery staple' }
  const withEmail = (text: string) => `{"email":${text},"password":"correct horse battery staple"}`

  const refused: [name: string, body: string | Buffer, code: string][] = [
    ['nothing', '', 'invalid_json'],
    ['spaces', '  ', 'invalid_json'],
    ['half an object', '{"email":', 'invalid_json'],
    ['a comma too many', '{"email":"a",}', 'invalid_json'],
    ['single quotes', "{'email':'a'}", 'invalid_json'],
    ['two values', '{}{}', 'invalid_json'],
    ['NaN', withEmail('NaN'), 'invalid_json'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'invalid_json'],
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0x80, 0x22]), 'invalid_json'],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'invalid_json'],
    ['UTF-16', Buffer.from(JSON.stringify(valid), 'utf16le'), 'invalid_json'],
    ['NUL between tokens', '{\0}', 'invalid_json'],
    ['a bare NUL in text', withEmail('"a\0b"'), 'invalid_json'],
    ['__proto__', '{"__proto__":{"role":"admin"}}', 'invalid_json'],
    ['__proto__ spelt with an escape', '{"\\u005f_proto__":{"role":"admin"}}', 'invalid_json'],
    ['__proto__ deep down', withEmail('[{"a":{"__proto__":1}}]'), 'invalid_json'],
    ['a constructor with a prototype', '{"constructor":{"prototype":{"role":"admin"}}}', 'invalid_json'],
    ['an escaped NUL', withEmail('"a\\u0000b"'), 'invalid_text'],
    ['an escaped NUL in a name', '{"a\\u0000":1}', 'invalid_text'],
    ['an escaped NUL deep down', withEmail('[[{"a":["\\u0000"]}]]'), 'invalid_text'],
    ['a high surrogate', withEmail('"\\ud800"'), 'invalid_text'],
    ['a low surrogate', withEmail('"\\uDFFF"'), 'invalid_text'],
    ['surrogates the wrong way round', withEmail('"\\udc00\\ud800"'), 'invalid_text'],
    ['a surrogate in a name', '{"\\udabc":1}', 'invalid_text'],
    ['a surrogate in a name deep down', withEmail('{"a":[{"\\udabc":1}]}'), 'invalid_text'],
    ['nothing but a surrogate', '"\\ud800"', 'invalid_text'],
    ['a constructor', '{"constructor":1}', 'validation_failed'],
    ['null', 'null', 'validation_failed'],
    ['an array', '[]', 'validation_failed'],
    ['a number', '1', 'validation_failed'],
    ['a huge array', withEmail(`[${'1,'.repeat(400_000)}1]`), 'validation_failed'],
    ['a huge number', withEmail(`1${'0'.repeat(10_000)}`), 'validation_failed'],
    ['arrays 100 000 deep', withEmail('['.repeat(100_000) + ']'.repeat(100_000)), 'validation_failed'],
    ['objects 100 000 deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'validation_failed'],
    [
      'arrays 100 000 deep with a surrogate',
      withEmail(`${'['.repeat(100_000)}"\\ud800"${']'.repeat(100_000)}`),
      'invalid_text',
    ],
    ['arrays 100 000 deep that never end', '['.repeat(100_000), 'invalid_json'],
  ]
  for (const [name, body, code] of refused) {
    t.test(`${name} is refused`, async (t) => {
      const response = await login(body)
      t.equal(response.statusCode, 400)
      t.match(response.json(), { code })
      t.notMatch(response.body, /Unexpected|position|proto|SyntaxError/, 'the parser is not quoted')
    })
  }

  t.test('a byte order mark is passed over (RFC 8259 section 8.1)', async (t) => {
    t.equal((await login(`\ufeff${JSON.stringify(valid)}`)).statusCode, 401)
  })

  t.test('the last of duplicate keys counts', async (t) => {
    const response = await login('{"email":1,"email":"ada@example.com","password":"12345678"}')
    t.equal(response.statusCode, 401)
  })

  t.test('escapes that make whole characters are taken', async (t) => {
    const email = `${crypto.randomUUID()}@example.com`
    const { password } = await signUp({ email, password: 'p\u00e4ssword \u{1f511}' })
    const body = `{"email":"${email}","password":"p\\u00e4ssword \\ud83d\\udd11"}`
    t.equal((await login(body)).statusCode, 200, password)
  })

  const types: [type: string | undefined, status: number][] = [
    ['application/json', 401],
    ['application/json; charset=utf-8', 401],
    ['application/json;charset=UTF-8', 401],
    ['Application/JSON', 401],
    ['text/plain', 415],
    ['application/jsonx', 415],
    ['application/problem+json', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['json', 415],
    ['', 415],
    [undefined, 415],
  ]
  for (const [type, status] of types) {
    t.test(`content type ${type}`, async (t) => {
      const response = await login(
        Buffer.from(JSON.stringify(valid)),
        type === undefined ? {} : { 'content-type': type },
      )
      t.equal(response.statusCode, status)
      t.equal(response.json().code, status === 415 ? 'unsupported_media_type' : 'invalid_credentials')
    })
  }

  const codings: [coding: string, status: number][] = [
    ['gzip', 415],
    ['br', 415],
    ['identity, gzip', 415],
    ['identity', 401],
    ['Identity', 401],
  ]
  for (const [coding, status] of codings) {
    t.test(`content coding ${coding}`, async (t) => {
      const response = await login(JSON.stringify(valid), { ...JSON_TYPE, 'content-encoding': coding })
      t.equal(response.statusCode, status)
      t.equal(response.json().code, status === 415 ? 'unsupported_media_type' : 'invalid_credentials')
    })
  }

  t.test('a body that is needed and not there is a missing body', async (t) => {
    const { statusCode, body } = await request({ method: 'POST', url: '/api/v1/auth/login' })
    t.equal(statusCode, 400)
    t.match(JSON.parse(body), { code: 'validation_failed', errors: [{ pointer: '/body' }] })
  })

  t.test('DELETE takes a content type without a body, and no body', async (t) => {
    for (const options of [
      { headers: JSON_TYPE },
      {},
      { headers: JSON_TYPE, body: '{}' },
    ] satisfies InjectOptions[]) {
      const { headers } = await signUp()
      const response = await request({
        method: 'DELETE',
        url: '/api/v1/users/me',
        ...options,
        headers: { ...headers, ...('headers' in options ? options.headers : {}) },
      })
      t.equal(response.statusCode, 204)
    }
    const response = await request({
      method: 'DELETE',
      url: '/api/v1/users/me',
      headers: JSON_TYPE,
      body: '{',
      as: await signUp(),
    })
    t.equal(response.statusCode, 400, 'but none that is broken')
  })

  t.test('over the wire', async (t) => {
    const port = await listen(app)
    const head =
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n'
    const body = JSON.stringify(valid)
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
    const right = await respond(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk(body)}0\r\n\r\n`)
    isProblem(t, right, 401, 'invalid_credentials')
    const tooLong = chunk('a'.repeat(1024 * 1024)).repeat(3)
    isProblem(t, await respond(port, `${head}Content-Length: 2097153\r\n\r\n`), 413, 'payload_too_large')
    isProblem(
      t,
      await respond(port, `${head}Transfer-Encoding: chunked\r\n\r\n${tooLong}0\r\n\r\n`),
      413,
      'payload_too_large',
    )
    // The rest does not count as a request, because the connection ends with this one.
    isProblem(t, await respond(port, `${head}Content-Length: 5\r\n\r\n${body}`), 400, 'invalid_json')
  })

  t.test('and none of it was our fault', async (t) => {
    t.strictSame(
      logs().filter(({ level }) => level === 'error'),
      [],
    )
  })
})

t.test('what is wrong deep below is pointed at, as far as a pointer goes', async (t) => {
  const below = (levels: number, name: string) =>
    Array.from({ length: levels }).reduce<unknown>((value) => ({ [name]: value }), 'a\0')
  t.equal(findFlaw('body', below(200, ''))?.pointer, `/body${'/'.repeat(200)}`)
  t.equal(findFlaw('body', below(100_000, ''))?.pointer, `/body${'/'.repeat(250)}\u2026`)
  t.match(findFlaw('body', below(100_000, 'name'))?.pointer, /^\/body(\/name)+\/?[name]*\u2026$/)
})
