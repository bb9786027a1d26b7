import type { HostileCase } from '../case.ts'

const ME = '/api/v1/users/me'
const ALLOWED = 'https://app.example.com'

const others: [name: string, origin: string][] = [
  ['an evil one', 'https://evil.example'],
  ['null', 'null'],
  ['a suffix', 'https://app.example.com.evil.example'],
  ['a prefix', 'https://evilapp.example.com'],
  ['a subdomain', 'https://evil.app.example.com'],
  ['the parent', 'https://example.com'],
  ['another scheme', 'http://app.example.com'],
  ['another port', 'https://app.example.com:8443'],
  ['the default port', 'https://app.example.com:443'],
  ['capitals', 'https://APP.example.com'],
  ['a slash', 'https://app.example.com/'],
  ['a dot at the end', 'https://app.example.com.'],
  ['an account', 'https://app.example.com@evil.example'],
  ['a dot that is any character', 'https://appxexample.com'],
  ['a backtick', 'https://app.example.com`.evil.example'],
  ['an underscore', 'https://app.example.com_.evil.example'],
  ['two', 'https://evil.example https://app.example.com'],
  ['a list', 'https://evil.example, https://app.example.com'],
  ['a star', '*'],
  ['nothing', ''],
  ['a file', 'file://'],
  ['another protocol', 'chrome-extension://app.example.com'],
]

const NOTHING = {
  'access-control-allow-origin': null,
  'access-control-allow-credentials': null,
  vary: 'Origin',
}

const preflight = (origin: string, method = 'DELETE') =>
  ({
    method: 'OPTIONS',
    path: ME,
    headers: [
      ['Origin', origin],
      ['Access-Control-Request-Method', method],
      ['Access-Control-Request-Headers', 'authorization, x-evil'],
    ],
  }) as const

export const cases: readonly HostileCase[] = [
  ...others.map(([name, origin]): HostileCase => {
    const send = { path: ME, as: 'user', headers: [['Origin', origin] as const] } as const
    const absent = origin.length > 5 ? [`access-control-allow-origin: ${origin}`] : []
    return { name, send, status: 200, headers: NOTHING, absent }
  }),
  {
    name: 'two origins',
    send: {
      path: ME,
      as: 'user',
      headers: [
        ['Origin', ALLOWED],
        ['Origin', 'https://evil.example'],
      ],
    },
    status: 200,
    headers: NOTHING,
  },
  ...['https://evil.example', 'null', 'https://app.example.com.evil.example'].map((origin): HostileCase => {
    const headers = { ...NOTHING, vary: 'Origin' }
    return {
      name: `a preflight of ${origin}`,
      send: preflight(origin),
      status: 204,
      headers,
      absent: [origin],
    }
  }),
  {
    name: 'ours may read, without credentials of the browser',
    send: { path: ME, as: 'user', headers: [['Origin', ALLOWED]] },
    status: 200,
    headers: {
      'access-control-allow-origin': ALLOWED,
      'access-control-allow-credentials': null,
      vary: 'Origin',
    },
  },
  {
    name: 'a preflight of ours gets our list of headers, and not its own',
    send: preflight(ALLOWED),
    status: 204,
    headers: { 'access-control-allow-origin': ALLOWED, 'access-control-allow-credentials': null },
    absent: ['x-evil'],
  },
  {
    name: 'a preflight of ours for a method that there is not',
    send: preflight(ALLOWED, 'FROB'),
    status: 204,
    headers: { 'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE' },
  },
  {
    name: 'errors do not bypass it',
    send: { path: '/nothing', headers: [['Origin', 'https://evil.example']] },
    status: 404,
    code: 'route_not_found',
    headers: NOTHING,
  },
  {
    name: 'a line break in an origin',
    send: { path: ME, headers: [['Origin', 'https://evil.example\rX-Evil: 1']] },
    status: 400,
    code: 'bad_request',
  },
]
