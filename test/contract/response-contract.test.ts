import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ResponseContract, type SentResponse } from './response-contract.ts'

const text = await readFile(join(import.meta.dirname, '../../openapi.json'), 'utf8')
const contract = new ResponseContract(JSON.parse(text))

const headers = {
  'x-request-id': 'a',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-type': 'application/json; charset=utf-8',
}
const alive = { status: 'alive', version: '1', timestamp: '2026-01-31T08:15:30.123Z' }
const live: SentResponse = { operationId: 'getLiveness', status: 200, headers, body: JSON.stringify(alive) }

const problem = {
  type: 'urn:problem-type:invalid_text',
  title: 'Invalid text',
  status: 400,
  detail: 'Why.',
  code: 'invalid_text',
  request_id: 'a',
}
const refused: SentResponse = {
  operationId: 'getLiveness',
  status: 400,
  headers: { ...headers, 'content-type': 'application/problem+json' },
  body: JSON.stringify(problem),
}

t.test('what is as documented passes', async (t) => {
  t.strictSame(contract.violations(live), [])
  t.strictSame(contract.violations(refused), [])
  t.strictSame(contract.violations({ ...refused, operationId: undefined }), [])
})

const broken: [name: string, sent: SentResponse, found: RegExp][] = [
  ['a property more', { ...live, body: JSON.stringify({ ...alive, hash: 1 }) }, /additional/],
  ['a property less', { ...live, body: JSON.stringify({ ...alive, version: undefined }) }, /required/],
  ['a wrong type', { ...live, body: JSON.stringify({ ...alive, version: 1 }) }, /must be string/],
  ['a wrong format', { ...live, body: JSON.stringify({ ...alive, timestamp: 'now' }) }, /date-time/],
  ['no JSON', { ...live, body: 'alive' }, /must be object/],
  ['another status', { ...live, status: 201 }, /status is not documented/],
  [
    'another content type',
    { ...live, headers: { ...headers, 'content-type': 'text/plain' } },
    /content type/,
  ],
  [
    'a location without the public path',
    { ...live, status: 201, headers: { ...headers, location: '/api/v1/x' }, publicPath: '/prefix' },
    /not below \/prefix\/api\//,
  ],
  ['an unknown operation', { ...live, operationId: 'getDeath' }, /not in the document/],
  ['no request id', { ...live, headers: { ...headers, 'x-request-id': undefined } }, /x-request-id/],
  [
    'an error that is not a problem document',
    { ...live, operationId: undefined, status: 404 },
    /content type/,
  ],
  [
    'an unknown code',
    { ...refused, body: JSON.stringify({ ...problem, code: 'odd' }) },
    /odd is not documented/,
  ],
  [
    'another status inside',
    { ...refused, body: JSON.stringify({ ...problem, status: 404 }) },
    /another status/,
  ],
  ['another id inside', { ...refused, body: JSON.stringify({ ...problem, request_id: 'b' }) }, /request id/],
  ['a cached error', { ...refused, headers: { ...refused.headers, 'cache-control': 'public' } }, /cached/],
  ['401 without a challenge', { ...refused, operationId: 'getUser', status: 401 }, /www-authenticate/],
  ['405 without Allow', { ...refused, operationId: undefined, status: 405 }, /allow/],
  ['503 without a time', { ...refused, operationId: 'getUser', status: 503 }, /retry-after/],
  ['a body where there is none', { ...live, operationId: 'deleteUser', status: 204 }, /a body/],
]
for (const [name, sent, found] of broken) {
  t.test(`${name} is found`, async (t) => t.match(contract.violations(sent).join('\n'), found))
}
