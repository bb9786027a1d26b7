import { type HostileCase, post } from '../case.ts'

const JSON_TYPE = ['Content-Type', 'application/json'] as const
const EVIL = 'evil.example'

/** Headers by which a proxy, or a client in its name, says where a request was sent to. */
const forwarded: [name: string, value: string][] = [
  ['X-Forwarded-Host', EVIL],
  ['X-Forwarded-Server', EVIL],
  ['X-Host', EVIL],
  ['X-HTTP-Host-Override', EVIL],
  ['Forwarded', `host=${EVIL};proto=https`],
  ['X-Forwarded-Proto', 'http'],
  ['X-Forwarded-Prefix', `//${EVIL}`],
  ['Referer', `https://${EVIL}/`],
]

/** Paths that a server which tidies up URLs would redirect from. */
const redirects = [
  `//${EVIL}`,
  `//${EVIL}/`,
  `//${EVIL}/..`,
  `///${EVIL}`,
  `/\\${EVIL}`,
  `/%5c${EVIL}`,
  `/%2f${EVIL}`,
  `//${EVIL}/%2e%2e`,
  `/.${EVIL}`,
  `/@${EVIL}`,
  `/live//${EVIL}`,
  '/account',
  '/account/',
  `/account//${EVIL}`,
  '/docs',
  '/docs/',
]

/** Parameters that a page which sends people on would look at. */
const parameters = ['next', 'redirect', 'redirect_uri', 'return_to', 'url', 'continue', 'callback']

const mailing: [name: string, path: string, body: object][] = [
  ['a forgotten password', '/api/v1/auth/password/forgot', { email: '{{user.email}}' }],
  [
    'a registration',
    '/api/v1/users',
    { email: 'host@example.com', username: 'host', password: 'long and dull' },
  ],
  ['a new link', '/api/v1/auth/email/resend', { email: 'host@example.com' }],
]

export const cases: readonly HostileCase[] = [
  ...mailing.flatMap(([name, path, body]): HostileCase[] => [
    {
      name: `${name}, asked of another host`,
      send: post(path, body, { host: EVIL }),
      status: 202,
      absent: [EVIL],
    },
    {
      name: `${name}, forwarded from another host`,
      send: post(path, body, { headers: [JSON_TYPE, ['X-Forwarded-Host', EVIL]] }),
      status: 202,
      absent: [EVIL],
    },
  ]),
  {
    name: 'what is made is named without a host',
    send: post(
      '/api/v1/users/invitations',
      { email: 'invited@example.com', username: 'invited' },
      { host: EVIL, as: 'admin', headers: [JSON_TYPE, ['X-Forwarded-Host', EVIL]] },
    ),
    status: 201,
    body: { username: 'invited' },
    absent: [EVIL, 'location: http', 'location: //'],
  },
  ...forwarded.map(([name, value]): HostileCase => {
    const send = { path: '/api/v1/users/me', as: 'user', headers: [[name, value] as const] } as const
    return { name: `${name}: ${value}`, send, status: 200, headers: { location: null }, absent: [EVIL] }
  }),
  ...redirects.map((path): HostileCase => {
    return {
      name: `${path} leads nowhere`,
      send: { path },
      status: 404,
      code: 'route_not_found',
      headers: { location: null, refresh: null },
      absent: [EVIL],
    }
  }),
  ...parameters.map((parameter): HostileCase => {
    return {
      name: `a page does not send on to its ${parameter}`,
      send: { path: `/account/verify-email?${parameter}=https://${EVIL}/` },
      status: 200,
      headers: { location: null, refresh: null },
      absent: [EVIL],
    }
  }),
  {
    name: 'a page can be in no frame',
    send: { path: '/account/reset-password', host: EVIL },
    status: 200,
    headers: { 'x-frame-options': 'DENY' },
    absent: [EVIL],
  },
  {
    name: 'the host of a port that is not ours',
    send: { path: '/live', host: `${EVIL}:65535` },
    status: 200,
    absent: [EVIL],
  },
  { name: 'an IPv6 host', send: { path: '/live', host: '[::1]:8080' }, status: 200 },
  { name: 'no name in Host', send: { path: '/live', host: '' }, status: 200 },
]
