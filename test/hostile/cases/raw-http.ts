import type { HostileCase } from '../case.ts'

const HOST = 'Host: 127.0.0.1\r\n'
const CLOSE = `${HOST}Connection: close\r\n`
const JSON_TYPE = 'Content-Type: application/json\r\n'
const FORGOT = 'POST /api/v1/auth/password/forgot HTTP/1.1\r\n'
const BODY = '{"email":"ada@example.com"}'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

/** A request that an attacker tries to smuggle in. */
const SMUGGLED = `GET /api/v1/users HTTP/1.1\r\n${HOST}Authorization: Bearer {{admin.token}}\r\n\r\n`

const badRequests: [name: string, request: string | Buffer][] = [
  ['words', 'hello\r\n\r\n'],
  ['a hello of TLS', Buffer.from([0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3, 0x0d, 0x0a, 0x0d, 0x0a])],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/0.9', 'GET /live\r\n\r\n'],
  ['HTTP/1.2', `GET /live HTTP/1.2\r\n${CLOSE}\r\n`],
  ['HTTP/9.9', `GET /live HTTP/9.9\r\n${CLOSE}\r\n`],
  ['another protocol', `GET /live FTP/1.0\r\n${CLOSE}\r\n`],
  ['no target', `GET  HTTP/1.1\r\n${CLOSE}\r\n`],
  ['a target without a slash', `GET live HTTP/1.1\r\n${CLOSE}\r\n`],
  ['a space in the target', `GET /li ve HTTP/1.1\r\n${CLOSE}\r\n`],
  ['a tab in the request line', `GET\t/live\tHTTP/1.1\r\n${CLOSE}\r\n`],
  ['NUL in the target', `GET /live\0 HTTP/1.1\r\n${CLOSE}\r\n`],
  ['no Host', 'GET /live HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['a line without a colon', `GET /live HTTP/1.1\r\n${CLOSE}nothing\r\n\r\n`],
  ['a line that begins with a space', `GET /live HTTP/1.1\r\n X: y\r\n${CLOSE}\r\n`],
  ['two lengths', `${FORGOT}${JSON_TYPE}Content-Length: 27\r\nContent-Length: 2\r\n${CLOSE}\r\n${BODY}`],
  [
    'two equal lengths',
    `${FORGOT}${JSON_TYPE}Content-Length: 27\r\nContent-Length: 27\r\n${CLOSE}\r\n${BODY}`,
  ],
  ['a list of lengths', `${FORGOT}${JSON_TYPE}Content-Length: 27, 27\r\n${CLOSE}\r\n${BODY}`],
  ['a negative length', `${FORGOT}${JSON_TYPE}Content-Length: -27\r\n${CLOSE}\r\n${BODY}`],
  ['a length with a sign', `${FORGOT}${JSON_TYPE}Content-Length: +27\r\n${CLOSE}\r\n${BODY}`],
  ['a hexadecimal length', `${FORGOT}${JSON_TYPE}Content-Length: 0x1b\r\n${CLOSE}\r\n${BODY}`],
  ['a length with a fraction', `${FORGOT}${JSON_TYPE}Content-Length: 27.0\r\n${CLOSE}\r\n${BODY}`],
  ['a length in two parts', `${FORGOT}${JSON_TYPE}Content-Length: 2 7\r\n${CLOSE}\r\n${BODY}`],
  ['no length in its header', `${FORGOT}${JSON_TYPE}Content-Length:\r\n${CLOSE}\r\n${BODY}`],
  [
    'a length beyond every number',
    `${FORGOT}${JSON_TYPE}Content-Length: 99999999999999999999\r\n${CLOSE}\r\n${BODY}`,
  ],
  [
    'length and chunks',
    `${FORGOT}${JSON_TYPE}Content-Length: 5\r\n${CHUNKED}${CLOSE}\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'chunks and length',
    `${FORGOT}${JSON_TYPE}${CHUNKED}Content-Length: 5\r\n${CLOSE}\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['a space before the colon', `${FORGOT}${JSON_TYPE}Transfer-Encoding : chunked\r\n${CLOSE}\r\n0\r\n\r\n`],
  [
    'chunks that are not last',
    `${FORGOT}${JSON_TYPE}Transfer-Encoding: chunked, gzip\r\n${CLOSE}\r\n0\r\n\r\n`,
  ],
  ['a coding that there is not', `${FORGOT}${JSON_TYPE}Transfer-Encoding: xchunked\r\n${CLOSE}\r\n0\r\n\r\n`],
  ['no coding', `${FORGOT}${JSON_TYPE}Transfer-Encoding: identity\r\n${CLOSE}\r\n${BODY}`],
  ['chunks twice', `${FORGOT}${JSON_TYPE}${CHUNKED}${CHUNKED}${CLOSE}\r\n0\r\n\r\n`],
  ['a chunk whose size is not a number', `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\nxyz\r\n`],
  ['a chunk of negative size', `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\n-1b\r\n${BODY}\r\n0\r\n\r\n`],
  ['a chunk with 0x', `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\n0x1b\r\n${BODY}\r\n0\r\n\r\n`],
  ['a chunk beyond every number', `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\nfffffffffffffffff\r\n${BODY}`],
  ['a chunk with a space', `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\n1b \r\n${BODY}\r\n0\r\n\r\n`],
  ['a chunk without its end', `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\n1b\r\n${BODY}0\r\n\r\n`],
  ['a chunk that ends in LF', `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\n1b\n${BODY}\n0\n\n`],
  ['bare CR for line ends', 'GET /live HTTP/1.1\rHost: a\rConnection: close\r\r'],
  ['a bare CR that hides a header', `GET /live HTTP/1.1\r\nX: a\r${CHUNKED}${CLOSE}\r\n`],
]

const request = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${HOST}${more}\r\n`
const as = (name: string) => `Authorization: Bearer {{${name}.token}}\r\n`

export const cases: readonly HostileCase[] = [
  ...badRequests.map(([name, bytes]): HostileCase => {
    const absent = ['next_cursor', 'accepted']
    return { name, send: { raw: [bytes] }, status: 400, code: 'bad_request', absent }
  }),
  {
    name: 'a chunk with 100 KB of extensions',
    send: { raw: [`${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\n1b;${'x'.repeat(102_400)}\r\n`] },
    status: 413,
    code: 'payload_too_large',
  },
  {
    name: 'fields after the last chunk are not headers',
    send: {
      raw: [
        `POST /api/v1/auth/logout HTTP/1.1\r\nTrailer: Authorization\r\n${CHUNKED}${CLOSE}\r\n`,
        `0\r\n${as('user')}\r\n`,
      ],
    },
    status: 401,
    code: 'unauthenticated',
  },
  {
    name: '30 KB of fields after the last chunk',
    send: {
      raw: [
        `${FORGOT}${JSON_TYPE}${CHUNKED}${CLOSE}\r\n1b\r\n${BODY}\r\n0\r\n${`X: ${'a'.repeat(1000)}\r\n`.repeat(30)}\r\n`,
      ],
    },
    status: 431,
    code: 'headers_too_large',
  },
  {
    name: 'a length that is too small: the rest is not a request',
    send: { raw: [`${FORGOT}${JSON_TYPE}Content-Length: 27\r\n${HOST}\r\n${BODY}}\r\n\r\n`] },
    status: [202, 400],
    code: 'bad_request',
  },
  {
    name: 'a request in a body is a body',
    send: {
      raw: [`${FORGOT}${JSON_TYPE}Content-Length: 300\r\n${CLOSE}\r\n${SMUGGLED}`.padEnd(2000, ' ')],
    },
    status: 400,
    code: 'invalid_json',
    absent: ['next_cursor'],
  },
  {
    name: 'the body of a GET is not the next request',
    send: {
      raw: [
        `GET /live HTTP/1.1\r\n${HOST}Content-Length: 50\r\n\r\n${'GET /ready HTTP/1.1\r\nHost: a\r\n\r\n'.padEnd(50, ' ')}`,
        request('/nothing', 'Connection: close\r\n'),
      ],
    },
    status: [200, 404],
    code: 'route_not_found',
  },
  {
    name: 'the body of a request that is refused is not the next request',
    send: {
      raw: [
        `PUT /live HTTP/1.1\r\n${HOST}Content-Length: 50\r\n\r\n${'GET /ready HTTP/1.1\r\nHost: a\r\n\r\n'.padEnd(50, ' ')}`,
        request('/nothing', 'Connection: close\r\n'),
      ],
    },
    status: [405, 404],
    code: 'route_not_found',
  },
  {
    name: 'each of the requests of a connection has its own credentials',
    send: {
      raw: [
        request('/api/v1/users/me', as('admin')) +
          request('/api/v1/users/me') +
          request('/api/v1/users', as('user')) +
          request('/api/v1/users/me', as('other')) +
          request('/api/v1/users?limit=1') +
          request('/api/v1/users/me', `${as('user')}Connection: close\r\n`),
      ],
    },
    status: [200, 401, 403, 200, 401, 200],
    body: { username: 'ada' },
  },
  {
    name: 'a broken request ends its connection, and what comes after it is not read',
    send: {
      raw: [`${request('/live')}broken\r\n\r\n${request('/api/v1/users', as('admin'))}`],
    },
    status: [200, 400],
    code: 'bad_request',
    absent: ['next_cursor'],
  },
  {
    name: 'a hundred requests at once are answered in their order',
    send: { raw: [request('/live').repeat(99) + request('/nothing', 'Connection: close\r\n')] },
    status: [...Array.from({ length: 99 }, () => 200), 404],
    code: 'route_not_found',
  },
  {
    name: 'a request in single bytes',
    send: { raw: [...request('/nothing', 'Connection: close\r\n')] },
    status: 404,
    code: 'route_not_found',
  },
  {
    name: 'an absolute target is the path that it names',
    send: { raw: [`GET http://127.0.0.1/nothing HTTP/1.1\r\n${CLOSE}\r\n`] },
    status: 404,
    code: 'route_not_found',
  },
  {
    name: 'an absolute target of another host is asked of this one',
    send: { raw: [`GET http://evil.example/live HTTP/1.1\r\n${CLOSE}\r\n`] },
    status: 200,
    absent: ['evil'],
  },
  {
    name: 'an absolute target does not get around authentication',
    send: { raw: [`GET http://127.0.0.1/api/v1/users/me HTTP/1.1\r\n${CLOSE}\r\n`] },
    status: 401,
    code: 'unauthenticated',
  },
  {
    name: 'an absolute target of another scheme',
    send: { raw: [`GET file:///etc/passwd HTTP/1.1\r\n${CLOSE}\r\n`] },
    status: 404,
    code: 'route_not_found',
    absent: ['root:'],
  },
  {
    name: 'empty lines before a request',
    send: { raw: [`\r\n\r\nGET /live HTTP/1.1\r\n${CLOSE}\r\n`] },
    status: 200,
  },
  { name: 'HTTP/1.0 without Host', send: { raw: ['GET /live HTTP/1.0\r\n\r\n'] }, status: 200 },
  {
    name: 'HTTP/1.0 keeps no connection',
    send: { raw: [`GET /live HTTP/1.0\r\n\r\n${SMUGGLED}`] },
    status: 200,
  },
  {
    name: 'after an upgrade that nobody offers the connection ends',
    send: {
      raw: [`GET /live HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n${SMUGGLED}`],
    },
    status: 200,
    headers: { connection: 'close' },
  },
]
