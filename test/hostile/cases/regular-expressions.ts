import { forgot, type HostileCase, post } from '../case.ts'

/*
 * Texts that make an expression of more than linear time run for hours; the service would not answer what is
 * asked after each case. `LONG` is near the largest body, `LONG_HEADER` near the largest header.
 */
const LONG = 200_000
const LONG_HEADER = 12_000

const emails: [name: string, text: string][] = [
  ['letters', 'a'.repeat(LONG)],
  ['letters and an @', `${'a'.repeat(64)}@${'a'.repeat(LONG)}`],
  ['labels', `a@${'a.'.repeat(LONG / 2)}`],
  ['labels of one hyphen', `a@${'a-'.repeat(LONG / 2)}`],
  ['@ and nothing else', '@'.repeat(LONG)],
  ['dots', `${'a.'.repeat(LONG / 2)}@`],
  ['combining marks', `a${'\u0301'.repeat(LONG / 2)}@example.com`],
  ['just short enough, and wrong at its end', `${'a'.repeat(63)}@${'a-'.repeat(90)}!`],
  ['just short enough labels, and wrong at its end', `a@${'a.'.repeat(125)}!`],
  ['just short enough atoms, and no @', `${'a.'.repeat(120)}a`],
]

const headers: [name: string, value: string][] = [
  ['Authorization', `Bearer ${'a'.repeat(LONG_HEADER)}`],
  ['Authorization', `Bearer ${' '.repeat(LONG_HEADER)}a`],
  ['Authorization', `Bearer ${'a.'.repeat(LONG_HEADER / 2)}`],
  ['Authorization', `Bearer ${'-'.repeat(LONG_HEADER)}.`],
  ['Authorization', 'Bearer '.repeat(LONG_HEADER / 7)],
]

const harmless: [name: string, value: string][] = [
  ['X-Request-Id', 'a'.repeat(LONG_HEADER)],
  ['If-None-Match', 'W/'.repeat(LONG_HEADER / 2)],
  ['If-None-Match', `${' '.repeat(LONG_HEADER)}"`],
  ['Origin', `https://${'a.'.repeat(LONG_HEADER / 2)}`],
  ['Accept', '*/*;q='.repeat(LONG_HEADER / 6)],
  ['User-Agent', `${'('.repeat(LONG_HEADER / 2)}${')'.repeat(LONG_HEADER / 2)}`],
  ['X-Forwarded-For', '1,'.repeat(LONG_HEADER / 2)],
  ['Forwarded', 'for="'.repeat(LONG_HEADER / 5)],
  ['Cookie', 'token='.repeat(LONG_HEADER / 6)],
]

/** Beginnings, without ends, of the texts that the log's expressions for secrets look for. */
const logged = [
  'token='.repeat(1000),
  `password%22:%22${'%5c'.repeat(2000)}`,
  `eyJ${'a.'.repeat(4000)}`,
  `$argon2id$${'a'.repeat(8000)}`,
  '://'.repeat(3000),
  `session${'_'.repeat(8000)}`,
]

export const cases: readonly HostileCase[] = [
  ...emails.map(([name, email]): HostileCase => {
    const send = forgot(JSON.stringify({ email }))
    const title = `an address of ${name}`
    return { name: title, send, status: 400, code: 'validation_failed', pointers: ['/body/email'] }
  }),
  ...headers.map(([name, value]): HostileCase => {
    const send = { path: '/api/v1/users/me', headers: [[name, value] as const] }
    return { name: `${name}: ${value.slice(0, 12)}...`, send, status: 401, code: 'unauthenticated' }
  }),
  ...harmless.map(([name, value]): HostileCase => {
    const send = { path: '/api/v1/users/me', as: 'user', headers: [[name, value] as const] } as const
    return { name: `${name}: ${value.slice(0, 12).trim()}...`, send, status: 200 }
  }),
  ...logged.map((text): HostileCase => {
    const send = { path: `/${text}` }
    return { name: `in the log: ${text.slice(0, 20)}...`, send, status: 404, code: 'route_not_found' }
  }),
  {
    name: 'Host',
    send: { path: '/live', host: `${'a-'.repeat(LONG_HEADER / 2)}{` },
    status: 400,
    code: 'bad_request',
  },
  {
    name: 'Content-Type',
    send: forgot('{}', [['Content-Type', `application/json;${' a=b;'.repeat(LONG_HEADER / 5)}"`]]),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/email'],
  },
  {
    name: 'If-Match',
    send: {
      ...post('/api/v1/users/me', { username: 'changed' }, { method: 'PATCH', as: 'user' }),
      headers: [
        ['Content-Type', 'application/json'],
        ['If-Match', `${'"'.repeat(LONG_HEADER)}z`],
      ],
    },
    status: 412,
    code: 'user_changed',
  },
  {
    name: 'a username',
    send: post(
      '/api/v1/users/me',
      { username: `${'a.'.repeat(LONG / 2)}!` },
      { method: 'PATCH', as: 'user' },
    ),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/username'],
  },
  {
    name: 'a password',
    send: post('/api/v1/auth/login', { email: 'ada@example.com', password: 'a'.repeat(LONG) }),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/password'],
  },
  {
    name: 'a refresh token',
    send: post('/api/v1/auth/refresh', { refresh_token: 'a'.repeat(LONG) }),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/refresh_token'],
  },
  {
    name: 'an id',
    send: { path: `/api/v1/users/${'0'.repeat(500)}`, as: 'admin' },
    status: 400,
    code: 'validation_failed',
    pointers: ['/params/id'],
  },
]
