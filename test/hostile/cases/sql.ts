import { forgot, type HostileCase, post } from '../case.ts'

const USERS = '/api/v1/users'

const METACHARACTERS = [
  "'",
  "''",
  '"',
  '\\',
  "\\'",
  "' OR '1'='1",
  "' OR 1=1 --",
  "'; DROP TABLE users; --",
  "') UNION SELECT password_hash FROM users --",
  "' AND pg_sleep(30) IS NULL --",
  '/*',
  '--',
  '$1',
  '$$',
  ';',
  "E'\\x27'",
  '%27',
  '\u02bc OR \u02bc1\u02bc=\u02bc1',
]

/** Texts that would match every user, or break the pattern, if LIKE saw them unescaped. */
const PATTERNS = [
  '%',
  '_',
  '%%',
  '___',
  '%a%',
  '_da',
  'a_a',
  '\\',
  '\\%',
  '\\_',
  '[a-z]%',
  'ad%',
  '(ada|root)%',
]

/** Those of the metacharacters that an address may have. */
const ADDRESSES = ["o'brien'--@example.com", "'/**/or/**/1=1#@example.com", '%@example.com', '$1@example.com']

const NOTHING = { data: [], next_cursor: null }

export const cases: readonly HostileCase[] = [
  ...[...METACHARACTERS, ...PATTERNS].map((text): HostileCase => {
    const send = { path: `${USERS}?q=${encodeURIComponent(text)}`, as: 'admin' } as const
    return { name: `a search for ${text} finds nobody`, send, status: 200, body: NOTHING, absent: ['ada@'] }
  }),
  ...METACHARACTERS.slice(0, 10).flatMap((text): HostileCase[] => [
    {
      name: `the id ${text}`,
      send: { path: `${USERS}/${encodeURIComponent(text)}`, as: 'admin' },
      status: 400,
      code: 'validation_failed',
      pointers: ['/params/id'],
    },
    {
      name: `the cursor ${text}`,
      send: { path: `${USERS}?cursor=${encodeURIComponent(text)}`, as: 'admin' },
      status: 400,
      code: 'invalid_cursor',
    },
    {
      name: `the refresh token ${text}`,
      send: post('/api/v1/auth/refresh', { refresh_token: text }),
      status: 401,
      code: 'invalid_refresh_token',
    },
    {
      name: `the mailed token ${text}`,
      send: post('/api/v1/auth/email/verify', { token: text }),
      status: 400,
      code: 'invalid_one_time_token',
    },
    {
      name: `the mailed token ${text} for a password`,
      send: post('/api/v1/auth/password/reset', { token: text, password: 'a new and long password' }),
      status: 400,
      code: 'invalid_one_time_token',
    },
  ]),
  ...ADDRESSES.flatMap((email): HostileCase[] => [
    {
      name: `signing in as ${email}`,
      send: post('/api/v1/auth/login', { email, password: "' OR '1'='1" }),
      status: 401,
      code: 'invalid_credentials',
    },
    { name: `a mail to ${email}`, send: forgot(JSON.stringify({ email })), status: 202 },
    {
      name: `the address ${email} is kept as it is`,
      send: post(`${USERS}/{{other.id}}`, { email }, { method: 'PATCH', as: 'admin' }),
      status: 200,
      body: { email, role: 'user' },
    },
    {
      name: `and found as it is: ${email}`,
      send: { path: `${USERS}?q=${encodeURIComponent(email)}`, as: 'admin' },
      status: 200,
      body: { data: [{ id: '{{other.id}}', email }], next_cursor: null },
      absent: ['ada@example.com'],
    },
  ]),
  {
    name: 'a user agent is kept as it is',
    send: post(
      '/api/v1/auth/login',
      { email: 'ada@example.com', password: '{{user.password}}' },
      {
        headers: [
          ['Content-Type', 'application/json'],
          ['User-Agent', "'); DELETE FROM sessions; --"],
        ],
      },
    ),
    status: 200,
  },
  {
    name: 'and shown as it is',
    send: { path: '/api/v1/auth/sessions?limit=1', as: 'user' },
    status: 200,
    body: { data: [{ user_agent: "'); DELETE FROM sessions; --" }] },
  },
  {
    name: 'the role of a filter is one of ours',
    send: { path: `${USERS}?role=${encodeURIComponent("admin' OR role='user")}`, as: 'admin' },
    status: 400,
    code: 'validation_failed',
    pointers: ['/query/role'],
  },
  {
    name: 'a session id',
    send: {
      method: 'DELETE',
      path: `/api/v1/auth/sessions/${encodeURIComponent("' OR true --")}`,
      as: 'user',
    },
    status: 400,
    code: 'validation_failed',
    pointers: ['/params/id'],
  },
  {
    name: 'a version that is not a number',
    send: {
      ...post(`${USERS}/me`, { username: 'changed' }, { method: 'PATCH', as: 'user' }),
      headers: [
        ['Content-Type', 'application/json'],
        ['If-Match', `"1' OR '1'='1"`],
      ],
    },
    status: 412,
    code: 'user_changed',
  },
]
