// Among the first, because it takes long.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { amount } from '#test/support/amount.ts'
import { createTestApp, type TestApp, type TestUser } from '#test/support/helper.ts'
import { type Document, member, operationsOf, type PlacedOperation, type Schema } from './document.ts'
import { type LongInput, watchLongInputs } from './long-inputs.ts'

const document: Document = JSON.parse(await readFile(join(import.meta.dirname, '../../openapi.json'), 'utf8'))

/** Bytes of a problem document at most, whatever was sent. */
const MAX_ANSWER = 8192

/** Bytes far beyond what any text may have, or near the largest body; and near the largest request line and header. */
const BODY = amount({ few: 60_000, many: 240_000 })
const LINE = 14_000

/** Texts that make a computation of more than linear time run for seconds and more. */
const TEXTS: readonly (readonly [name: string, unit: string])[] = [
  // Normalisation sorts the marks after a letter.
  ['alternating marks', '\u0301\u0316'],
  ['letters', 'a'],
  ['labels', 'a.'],
  ['@', '@'],
]

/** Headers that something reads: ourselves, the framework, or its plugins. */
const HEADERS: readonly (readonly [name: string, unit: string])[] = [
  ['accept', '*/*;q=0.1,'],
  ['accept-encoding', 'a;q=0.1,'],
  ['authorization', 'Bearer a.'],
  ['baggage', 'a=b,'],
  ['content-type', 'application/json;a=b;'],
  ['cookie', 'a=b;'],
  ['forwarded', 'for=1.1.1.1,'],
  ['host', 'a.'],
  ['idempotency-key', '"'],
  ['if-match', '"2026-01-31T08:15:30.123Z",'],
  ['if-none-match', 'W/"2026-01-31T08:15:30.123Z",'],
  ['origin', 'https://'],
  ['traceparent', '00-'],
  ['tracestate', 'a=b,'],
  ['user-agent', '('],
  ['x-forwarded-for', '1.1.1.1,'],
  ['x-request-id', 'eyJ'],
]

/** How many share the headers, and the ways to write a body, among them: all operations read them alike. */
const SHARE = { headers: amount({ few: 8, many: 1 }), bodies: amount({ few: 6, many: 1 }) }

const operations = operationsOf(document)

t.test('whatever is sent anywhere costs little and is answered briefly', async (t) => {
  const app = await createTestApp(t, { APP_RATE_LIMIT__ENABLED: 'false', APP_LOG__LEVEL: 'info' })
  for (const [place, placed] of operations.entries()) {
    t.test(placed.operation.operationId, async (t) => {
      const as = await app.signUp({ role: 'admin' })
      const { seen, stop } = watchLongInputs()
      try {
        for (const attack of attacksOn(placed, place)) await answer(t, app, as, attack)
      } finally {
        stop()
      }
      t.strictSame([...new Set(seen.map(describe))], [], 'nothing but what is linear sees long texts')
    })
  }
})

interface Attack {
  name: string
  send: InjectOptions
  /** Whether it can only be refused. */
  isInvalid: boolean
}

async function answer(t: Test, app: TestApp, as: TestUser, { name, send, isInvalid }: Attack): Promise<void> {
  const response = await app.request({ ...send, as })
  const { statusCode, body } = response
  // An answer that lists is as long as its data.
  if (statusCode >= 400 && body.length > MAX_ANSWER) t.fail(`${name}: ${body.length} bytes`)
  if (statusCode >= 500 || (isInvalid && statusCode < 400))
    t.fail(`${name}: ${statusCode} ${body.slice(0, 200)}`)
}

function describe({ what, source }: LongInput): string {
  return source === undefined ? what : `${what} ${source}`
}

/** @param place among the operations, from which follows what of the rest it gets */
function* attacksOn({ path, method, operation }: PlacedOperation, place: number): Generator<Attack> {
  const { parameters = [] } = operation
  const request: InjectOptions = {
    method: method === 'get' ? 'GET' : upper(method),
    url: path.replaceAll(/\{\w+\}/g, () => crypto.randomUUID()),
  }
  for (const [name, text] of TEXTS.map(([name, unit]) => [name, fill(unit, LINE / 6)] as const)) {
    if (path.includes('{')) {
      const url = path.replaceAll(/\{\w+\}/g, encodeURIComponent(text))
      yield { name: `path of ${name}`, send: { ...request, url }, isInvalid: true }
    }
    for (const parameter of parameters) {
      if (!('in' in parameter) || parameter.in !== 'query') continue
      const url = `${request.url}?${parameter.name}=${encodeURIComponent(text)}`
      yield { name: `${parameter.name} of ${name}`, send: { ...request, url }, isInvalid: true }
    }
  }
  const takesQuery = parameters.some((parameter) => 'in' in parameter && parameter.in === 'query')
  for (const query of [numbered(LINE / 8, '&'), fill('limit=1&', LINE), fill('%41', LINE), fill('&', LINE)]) {
    const send = { ...request, url: `${request.url}?${query}` }
    yield { name: `query ${query.slice(0, 12)}`, send, isInvalid: takesQuery && !query.startsWith('&') }
  }
  for (const [name, unit] of HEADERS.filter((_, index) => (index + place) % SHARE.headers === 0)) {
    yield { name, send: { ...request, headers: { [name]: fill(unit, LINE) } }, isInvalid: false }
  }
  const schema = bodyOf(operation)
  if (schema) yield* attacksOnBody(request, schema, place)
}

function* attacksOnBody(request: InjectOptions, schema: Schema, place: number): Generator<Attack> {
  const headers = { 'content-type': 'application/json' }
  const post = (name: string, payload: string): Attack => {
    return { name, send: { ...request, headers, payload }, isInvalid: true }
  }
  for (const [index, name] of Object.keys(member(schema, 'properties') ?? {}).entries()) {
    for (const [title, unit] of TEXTS) {
      yield post(
        `${name} of ${title}`,
        JSON.stringify({ [name]: fill(unit, BODY / Buffer.byteLength(unit)) }),
      )
    }
    const ways = [
      post(`${name} of a list`, `{"${name}":[${numbered(BODY / 8, ',', '1')}]}`),
      post(`${name} nested`, `{"${name}":${'['.repeat(BODY / 2)}${']'.repeat(BODY / 2)}}`),
      post(`${name} again and again`, `{${fill(`"${name}":1,`, BODY)}"${name}":[]}`),
    ]
    yield* ways.filter((_, way) => (way + index + place) % SHARE.bodies === 0)
  }
  yield post('unknown properties', `{${numbered(BODY / 12, ',', '1', '"')}}`)
  yield post('a long name', JSON.stringify({ [fill('/~', BODY)]: 1 }))
  yield post('marks in names', JSON.stringify({ [fill('\u0301\u0316', BODY / 4)]: 1 }))
  yield post('objects nested', `${fill('{"a":', BODY / 2)}1${'}'.repeat(Math.floor(BODY / 10))}`)
}

/** `unit` again and again, up to a length in characters. */
function fill(unit: string, length: number): string {
  return unit.repeat(Math.floor(length / unit.length))
}

/** Names with values: `k0=1&k1=1`, or as members of JSON. */
function numbered(count: number, separator: string, value = '1', quote = ''): string {
  const names = Array.from({ length: Math.floor(count) }, (_, index) => `${quote}k${index}${quote}`)
  if (separator === '&') return names.map((name) => `${name}=${value}`).join(separator)
  return quote === ''
    ? names.map(() => value).join(separator)
    : names.map((name) => `${name}:${value}`).join(separator)
}

function bodyOf({ requestBody }: PlacedOperation['operation']): Schema | undefined {
  const schema = member(requestBody, 'content', 'application/json', 'schema')
  const name =
    String(schema?.['$ref'] ?? '')
      .split('/')
      .at(-1) ?? ''
  return member(document, 'components', 'schemas', name) ?? schema
}

function upper(method: string): 'POST' | 'PUT' | 'PATCH' | 'DELETE' {
  for (const known of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    if (known.toLowerCase() === method) return known
  }
  throw new TypeError(`a method that no operation has: ${method}`)
}
