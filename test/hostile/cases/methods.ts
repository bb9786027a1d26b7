import type { HostileCase } from '../case.ts'

/** Methods of a URL, as in `Allow`. */
const LIVE = 'GET, HEAD, OPTIONS'
const ME = 'GET, HEAD, PATCH, DELETE, OPTIONS'
const LOGIN = 'POST, OPTIONS'

const wrong: [method: string, path: string, allow: string][] = [
  ['POST', '/live', LIVE],
  ['PUT', '/live', LIVE],
  ['DELETE', '/live', LIVE],
  ['TRACE', '/live', LIVE],
  ['PROPFIND', '/live', LIVE],
  ['M-SEARCH', '/live', LIVE],
  ['PURGE', '/live', LIVE],
  ['QUERY', '/live', LIVE],
  ['TRACE', '/api/v1/users/me', ME],
  ['PUT', '/api/v1/users/me', ME],
  ['GET', '/api/v1/auth/login', LOGIN],
  ['HEAD', '/api/v1/auth/login', LOGIN],
  ['DELETE', '/api/v1/auth/login', LOGIN],
]

const unknown = ['FROB', 'get', 'GETS', 'G\u00e9T', 'GET\0', 'GET,POST']

export const cases: readonly HostileCase[] = [
  ...wrong.map(([method, path, allow]): HostileCase => {
    const name = `${method} ${path}`
    const code = method === 'HEAD' ? {} : { code: 'method_not_allowed' }
    return { name, send: { method, path }, status: 405, headers: { allow }, ...code }
  }),
  ...unknown.map((method): HostileCase => {
    const name = `${JSON.stringify(method)}, which is not a method`
    return { name, send: { method, path: '/live' }, status: 400, code: 'bad_request' }
  }),
  {
    name: 'TRACE repeats nothing',
    send: { method: 'TRACE', path: '/api/v1/users/me', as: 'user', headers: [['X-Planted', 'canary']] },
    status: 405,
    code: 'method_not_allowed',
    absent: ['{{user.token}}'],
  },
  {
    name: 'CONNECT makes no tunnel',
    send: { method: 'CONNECT', path: '127.0.0.1:5432' },
    status: [],
  },
  { name: 'HEAD is GET without the body', send: { method: 'HEAD', path: '/live' }, status: 200 },
  {
    name: 'HEAD asks for the token that GET asks for',
    send: { method: 'HEAD', path: '/api/v1/users/me' },
    status: 401,
    headers: { 'www-authenticate': 'Bearer' },
  },
  {
    name: 'HEAD of what is for admins',
    send: { method: 'HEAD', path: '/api/v1/users', as: 'user' },
    status: 403,
  },
  {
    name: 'OPTIONS tells what is taken, and nothing else',
    send: { method: 'OPTIONS', path: '/api/v1/users/me' },
    status: 204,
    headers: { allow: ME, 'access-control-allow-origin': null },
  },
  {
    name: 'OPTIONS of a user does not tell whether there is one',
    send: { method: 'OPTIONS', path: '/api/v1/users/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90' },
    status: 204,
  },
  {
    name: 'OPTIONS of the server as a whole',
    send: { method: 'OPTIONS', path: '*' },
    status: 404,
    code: 'route_not_found',
  },
  ...(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'] as const).map((name): HostileCase => {
    const send = { path: '/api/v1/users/me', as: 'user', headers: [[name, 'DELETE']] } as const
    return { name: `${name} overrides nothing`, send, status: 200, body: { username: 'ada' } }
  }),
  {
    name: '_method overrides nothing',
    send: { path: '/api/v1/users?_method=POST', as: 'admin' },
    status: 400,
    code: 'validation_failed',
    pointers: ['/query/_method'],
  },
  {
    name: 'DELETE with a body that is broken deletes nothing',
    send: {
      method: 'DELETE',
      path: '/api/v1/users/me',
      as: 'user',
      body: '{',
      headers: [['Content-Type', 'application/json']],
    },
    status: 400,
    code: 'invalid_json',
  },
]
