import type { HostileCase } from '../case.ts'

const ME = '/api/v1/users/me'

/** A request of the user with further headers. */
const me = (...headers: [name: string, value: string][]) => ({ path: ME, as: 'user', headers }) as const

const refused: [name: string, field: [name: string, value: string], status: number, code: string][] = [
  ['20 KB', ['X-Long', 'a'.repeat(20_480)], 431, 'headers_too_large'],
  ['a name of 20 KB', ['a'.repeat(20_480), 'x'], 431, 'headers_too_large'],
  ['20 KB of cookies', ['Cookie', 'a=b; '.repeat(4096)], 431, 'headers_too_large'],
  ['NUL in a value', ['X-Odd', 'a\0b'], 400, 'bad_request'],
  ['a bare CR in a value', ['X-Odd', 'a\rSet-Cookie: b'], 400, 'bad_request'],
  ['a bare LF in a value', ['X-Odd', 'a\nno header'], 400, 'bad_request'],
  ['an escape in a value', ['X-Odd', 'a\u001b[31m'], 400, 'bad_request'],
  ['DEL in a value', ['X-Odd', 'a\u007f'], 400, 'bad_request'],
  ['a space in a name', ['X Odd', 'a'], 400, 'bad_request'],
  ['a space after a name', ['X-Odd ', 'a'], 400, 'bad_request'],
  ['no name', ['', 'a'], 400, 'bad_request'],
  ['a name of brackets', ['(odd)', 'a'], 400, 'bad_request'],
  ['a name that is not ASCII', ['X-\u00d6dd', 'a'], 400, 'bad_request'],
  ['a folded line', ['X-Odd', 'a\r\n b'], 400, 'bad_request'],
]

const hosts: [name: string, host: string][] = [
  ['a path in it', 'evil.example/path'],
  ['an account in it', 'api@evil.example'],
  ['a list', '127.0.0.1, evil.example'],
  ['a space', 'a b'],
  ['a scheme', 'http://127.0.0.1'],
  ['a query', 'a?b'],
  ['a port that is not a number', '127.0.0.1:http'],
  ['half an IPv6 address', '[::1'],
  ['markup', '<script>'],
  ['letters that are not ASCII', '\u0435xample.com'],
]

/** Invalid access tokens. `{{user.token}}` is valid, but not in these places. */
const credentials = [
  ...['', 'Bearer', 'Bearer ', 'Bearer null', 'Bearer undefined', 'Bearer ..', 'Bearer a.b.c'],
  ...['Basic YWRhOnBhc3N3b3Jk', '{{user.token}}', 'Token {{user.token}}', 'Bearer{{user.token}}'],
  ...[
    'Bearer {{user.token}}.',
    'Bearer {{user.token}}=',
    'Bearer {{user.token}} x',
    'Bearer "{{user.token}}"',
  ],
  ...[
    'Bearer {{user.token}}, Bearer {{admin.token}}',
    'Bearer\t{{user.token}}',
    'Bearer {{user.refresh_token}}',
  ],
  ...[
    'Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30.',
    `Bearer ${'a.'.repeat(7000)}`,
    'Bearer \u00e9.b.c',
  ],
]

/** Headers that some servers believe, and this one has no reason to. */
const unbelieved: [name: string, value: string][] = [
  ['X-Original-URL', '/api/v1/users'],
  ['X-Rewrite-URL', '/api/v1/users'],
  ['X-Forwarded-For', '203.0.113.66, evil'],
  ['X-Forwarded-Proto', 'javascript'],
  ['X-Forwarded-Port', '99999999'],
  ['X-Real-IP', '::ffff:203.0.113.66'],
  ['Forwarded', 'for="_evil";host=evil.example;proto=gopher'],
  ['X-User-Id', '{{admin.id}}'],
  ['X-Role', 'admin'],
  ['Cookie', 'session={{admin.token}}; access_token={{admin.token}}'],
  ['Connection', 'Authorization'],
  ['Upgrade', 'websocket'],
  ['Upgrade', 'h2c'],
  ['Range', 'bytes=0-0'],
  ['If-Modified-Since', 'Tue, 99 Foo 99999 99:99:99 GMT'],
  ['Accept', 'text/html;q=1e999, */*;q=NaN'],
  ['Accept', 'application/'.repeat(1000)],
  ['Accept-Encoding', 'gzip;q=-1, \u00e9, *;q=0'],
  ['Accept-Language', '../../../etc/passwd'],
  ['Accept-Charset', 'utf-16'],
  ['Expect', '200-maybe'],
  ['__proto__', 'admin'],
  ['constructor', 'admin'],
  ['toString', 'admin'],
  ['hasOwnProperty', 'admin'],
  ['If-None-Match', '"'.repeat(5000)],
  ['If-None-Match', '",,,W/'],
  ['User-Agent', '\u00e9'.repeat(1000)],
]

export const cases: readonly HostileCase[] = [
  ...refused.map(([name, field, status, code]): HostileCase => {
    return { name, send: { path: '/live', headers: [field] }, status, code, headers: { 'set-cookie': null } }
  }),
  ...hosts.map(([name, host]): HostileCase => {
    return { name: `Host: ${name}`, send: { path: '/live', host }, status: 400, code: 'bad_request' }
  }),
  {
    name: 'Host twice',
    send: { path: '/live', headers: [['Host', 'evil.example']] },
    status: 400,
    code: 'bad_request',
  },
  {
    name: 'Host twice the same',
    send: { path: '/live', headers: [['host', '127.0.0.1']] },
    status: 400,
    code: 'bad_request',
  },
  ...credentials.map((value): HostileCase => {
    const send = { path: ME, headers: [['Authorization', value] as const] }
    const name = `Authorization: ${value.slice(0, 60)}`
    return { name, send, status: 401, code: 'unauthenticated', headers: { 'www-authenticate': 'Bearer' } }
  }),
  {
    name: 'Authorization twice does not count, whichever is the right one',
    send: me(['Authorization', 'Bearer a.b.c']),
    status: 401,
    code: 'unauthenticated',
  },
  {
    name: 'Authorization twice with different tokens does not count',
    send: me(['Authorization', 'Bearer {{admin.token}}']),
    status: 401,
    code: 'unauthenticated',
  },
  ...unbelieved.map(([name, value]): HostileCase => {
    const title = `${name}: ${value.slice(0, 40)} changes nothing`
    return { name: title, send: me([name, value]), status: 200, body: { username: 'ada', role: 'user' } }
  }),
  {
    name: 'five thousand headers',
    send: { path: ME, headers: Array.from({ length: 5000 }, () => ['a', ''] as const) },
    status: 431,
    code: 'headers_too_large',
  },
  {
    name: 'an If-Match of nonsense changes nothing',
    send: {
      method: 'PATCH',
      path: ME,
      as: 'user',
      headers: [
        ['Content-Type', 'application/json'],
        ['If-Match', `"${'z'.repeat(100)}", W/"a", ",', \\`],
      ],
      body: '{"username":"changed"}',
    },
    status: 412,
    code: 'user_changed',
  },
  {
    name: 'an If-Match of ten thousand versions changes nothing',
    send: {
      method: 'PATCH',
      path: ME,
      as: 'user',
      headers: [
        ['Content-Type', 'application/json'],
        ['If-Match', '"a",'.repeat(3000)],
      ],
      body: '{"username":"changed"}',
    },
    status: 412,
    code: 'user_changed',
  },
  {
    name: 'a body of unknown length that is announced and never asked for',
    send: { path: '/live', headers: [['Expect', '100-continue']] },
    status: 200,
  },
  {
    name: 'a client that asks before it sends is told to go on',
    send: {
      path: '/api/v1/auth/login',
      headers: [
        ['Expect', '100-continue'],
        ['Content-Type', 'application/json'],
      ],
      body: '{}',
    },
    status: [100, 400],
    code: 'validation_failed',
  },
]
