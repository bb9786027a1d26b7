import type { HostileCase } from '../case.ts'

const USERS = '/api/v1/users'

const refused: [name: string, path: string, status: number, code: string][] = [
  ['NUL', '/live%00', 400, 'invalid_text'],
  ['NUL in a parameter', `${USERS}/a%00b`, 400, 'invalid_text'],
  ['NUL in the query', '/live?a=%00', 400, 'invalid_text'],
  ['NUL in the name of a query parameter', '/live?%00=a', 400, 'invalid_text'],
  ['an invalid escape', `${USERS}/%zz`, 400, 'bad_request'],
  ['half an escape', `${USERS}/%4`, 400, 'bad_request'],
  ['a percent sign', `${USERS}/%`, 400, 'bad_request'],
  ['bytes that are not UTF-8', `${USERS}/%ff%fe`, 400, 'bad_request'],
  ['an overlong slash', `${USERS}/%c0%af`, 400, 'bad_request'],
  ['a surrogate', `${USERS}/%ed%a0%80`, 400, 'bad_request'],
  ['a parameter of a thousand characters', `${USERS}/${'a'.repeat(1000)}`, 400, 'bad_request'],
  ['65 KB of path', `/${'a'.repeat(65_536)}`, 431, 'headers_too_large'],
  ['65 KB of query', `/live?a=${'a'.repeat(65_536)}`, 431, 'headers_too_large'],
  ['10 KB of path', `/${'a'.repeat(10_000)}`, 404, 'route_not_found'],
  ['five thousand segments', '/a'.repeat(5000), 404, 'route_not_found'],
  ['a way up', '/../../package.json', 404, 'route_not_found'],
  ['a way up to a route', '/api/../live', 404, 'route_not_found'],
  ['an escaped way up', '/%2e%2e/%2e%2e/etc/passwd', 404, 'route_not_found'],
  ['a way up escaped twice', '/%252e%252e/package.json', 404, 'route_not_found'],
  ['a way up of Windows', '/..%5c..%5cpackage.json', 404, 'route_not_found'],
  ['a file of the pages', '/account/..%2f..%2fpackage.json', 404, 'route_not_found'],
  ['a source of the pages', '/account/index.ts', 404, 'route_not_found'],
  ['a file that begins with a dot', '/.env', 404, 'route_not_found'],
  ['the documents, which production does not serve', '/docs/json', 404, 'route_not_found'],
  ['the mailbox of development', '/dev/mail/messages', 404, 'route_not_found'],
  ['two slashes', '//live', 404, 'route_not_found'],
  ['two slashes inside', '/api//v1/users/me', 404, 'route_not_found'],
  ['a slash at the end', '/live/', 404, 'route_not_found'],
  ['capitals', '/LIVE', 404, 'route_not_found'],
  ['a parameter after a semicolon', '/live;a=b', 404, 'route_not_found'],
  ['a space at the end', '/live%20', 404, 'route_not_found'],
  ['a line break', '/live%0d%0aSet-Cookie:%20a=b', 404, 'route_not_found'],
  ['a fullwidth letter', '/%ef%bd%8cive', 404, 'route_not_found'],
  ['an escaped slash', '/api%2fv1%2fusers', 404, 'route_not_found'],
  ['a star', '/*', 404, 'route_not_found'],
  ['__proto__', '/__proto__', 404, 'route_not_found'],
  ['__proto__ below the API', '/api/v1/__proto__', 404, 'route_not_found'],
  ['constructor', '/constructor/prototype', 404, 'route_not_found'],
]

const notIds = [
  ...['1', 'null', 'undefined', '__proto__', 'constructor', ':id', '*', '%2a'],
  ...['urn:uuid:01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90', '%7b01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90%7d'],
  ...['01997d1c7b6e7c3a9d532f6a4c1e8b90', '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90%0a', '%20', 'me%2f'],
  '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b9%ef%bc%90',
]

const badQueries: [query: string, pointer: string][] = [
  ['limit=0', '/query/limit'],
  ['limit=-1', '/query/limit'],
  ['limit=101', '/query/limit'],
  ['limit=1.5', '/query/limit'],
  ['limit=', '/query/limit'],
  ['limit=%201x', '/query/limit'],
  ['limit=0x1g', '/query/limit'],
  ['limit=NaN', '/query/limit'],
  ['limit=Infinity', '/query/limit'],
  ['limit=1e400', '/query/limit'],
  ['limit=9007199254740993', '/query/limit'],
  ['limit=1&limit=2', '/query/limit'],
  ['limit[]=1', '/query/limit[]'],
  ['limit[a]=1', '/query/limit[a]'],
  ['is_active=yes', '/query/is_active'],
  ['is_active=true&is_active=false', '/query/is_active'],
  ['role=Admin', '/query/role'],
  ['role=user&role=admin', '/query/role'],
  ['q=', '/query/q'],
  ['q=a&q=b', '/query/q'],
  [`q=${'a'.repeat(255)}`, '/query/q'],
  ['cursor=', '/query/cursor'],
  [`cursor=${'a'.repeat(513)}`, '/query/cursor'],
  ['__proto__=1', '/query/__proto__'],
  ['constructor=1', '/query/constructor'],
  ['toString=1', '/query/toString'],
  ['unknown', '/query/unknown'],
  ['=', '/query/'],
]

const cursors = [
  'a',
  '__proto__',
  '0',
  'null',
  'e30',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '%c3%bf',
]

export const cases: readonly HostileCase[] = [
  ...refused.map(([name, path, status, code]): HostileCase => {
    return { name, send: { path }, status, code, headers: { location: null, 'set-cookie': null } }
  }),
  ...notIds.map((id): HostileCase => {
    const send = { path: `${USERS}/${id}`, as: 'admin' } as const
    return { name: `the id ${id}`, send, status: 400, code: 'validation_failed', pointers: ['/params/id'] }
  }),
  ...badQueries.map(([query, pointer]): HostileCase => {
    const send = { path: `${USERS}?${query}`, as: 'admin' } as const
    const name = `?${query.slice(0, 40)}`
    return { name, send, status: 400, code: 'validation_failed', pointers: [pointer] }
  }),
  ...cursors.map((cursor): HostileCase => {
    const send = { path: `${USERS}?cursor=${cursor}`, as: 'admin' } as const
    return { name: `the cursor ${cursor}`, send, status: 400, code: 'invalid_cursor' }
  }),
  {
    name: 'two thousand query parameters',
    send: { path: `/live?${'a=1&'.repeat(2000)}` },
    status: 200,
  },
  {
    name: 'two thousand query parameters where they are looked at',
    send: { path: `${USERS}?${'a=1&'.repeat(2000)}`, as: 'admin' },
    status: 400,
    code: 'validation_failed',
    pointers: ['/query/a'],
  },
  { name: 'a query that nobody reads need not be one', send: { path: '/live?a=%zz%ff' }, status: 200 },
  ...['%zz', '%', '%4', '%ff', '%c0%af', '%ed%a0%80'].map((text) => ({
    name: `a query that cannot be decoded: ${text}`,
    send: { path: `${USERS}?q=${text}`, as: 'admin' as const },
    status: 400,
    code: 'bad_request',
  })),
  { name: 'a query of nothing', send: { path: '/live?' }, status: 200 },
  { name: 'a letter that is escaped is that letter', send: { path: '/%6cive' }, status: 200 },
  {
    name: 'an id in capitals is the same id',
    send: { path: `${USERS}/01997D1C-7B6E-7C3A-9D53-2F6A4C1E8B90`, as: 'admin' },
    status: 404,
    code: 'user_not_found',
  },
  {
    name: 'an id that there is not',
    send: { path: `${USERS}/00000000-0000-0000-0000-000000000000`, as: 'admin' },
    status: 404,
    code: 'user_not_found',
  },
  {
    name: "somebody else's id",
    send: { path: `${USERS}/{{admin.id}}`, as: 'user' },
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'an id that there is not, for who may not know',
    send: { path: `${USERS}/00000000-0000-0000-0000-000000000000`, as: 'user' },
    status: 403,
    code: 'forbidden',
  },
]
