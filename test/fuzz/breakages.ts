import fc from 'fast-check'
import type { DraftRequest } from './request.ts'
import { character } from './schema-values.ts'

/** One thing that is done to a request that was right. Numbers choose among what there is to break. */
export type Breakage =
  | { kind: 'drop property'; at: number }
  | { kind: 'set property'; at: number; value: unknown }
  | { kind: 'add property'; name: string; value: unknown }
  | { kind: 'replace body'; value: unknown }
  | { kind: 'raw body'; text: string }
  | { kind: 'cut body'; at: number }
  | { kind: 'set parameter'; at: number; value: string }
  | { kind: 'add query'; name: string; value: string }
  | { kind: 'set query'; at: number; value: string }
  | { kind: 'end of URL'; text: string }
  | { kind: 'set header'; name: string; value: string }

const NAMES = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'then', '$ref', ''],
  ...[
    'id',
    'role',
    'is_active',
    'password_hash',
    'email',
    'limit',
    'cursor',
    'q',
    'a/b',
    'a~b',
    'a[0]',
    'a.b',
  ],
]

const TEXTS = [
  ...['', ' ', '\0', 'a\0b', '\ud800', '\udfff', '\u202e', '\ufeff', "'", '"', '\\', '%', '_', '%00', '%zz'],
  ...['null', 'true', '0', '-1', '1e400', 'NaN', '__proto__', '../..', '\r\n', '*', '[]', '{}', ';', ','],
  ...['a'.repeat(513), '\u{1f600}'.repeat(130), 'e\u0301'.repeat(130), "' OR 1=1 --"],
]

const VALUES: unknown[] = [
  ...[null, true, false, 0, -0, -1, 1.5, 2 ** 53, 1e308, '', [], {}, [[]], [null], { a: 1 }],
  ...[{ toString: 1 }, { length: 1 }, { constructor: {} }, 'a'.repeat(10_000)],
]

const BODIES = [
  ...[
    '',
    ' ',
    'null',
    '[]',
    '{',
    '{}}',
    '{"a":1,}',
    '"',
    '\ufeff{}',
    '{"__proto__":{}}',
    '{"a":NaN}',
    'undefined',
  ],
  ...[
    '['.repeat(5000),
    '{"a":'.repeat(5000),
    '{"email":"\\ud800"}',
    '{"a":"\\u0000"}',
    `[${'1,'.repeat(5000)}1]`,
  ],
]

const HEADERS = [
  ...['content-type', 'authorization', 'if-match', 'if-none-match', 'x-request-id', 'accept', 'origin'],
  ...[
    'content-encoding',
    'user-agent',
    'x-forwarded-for',
    'idempotency-key',
    'range',
    'expect',
    'host',
    'cookie',
  ],
]

const HEADER_VALUES = [
  ...[
    '',
    '*',
    '"',
    '"a"',
    'W/"a"',
    'a, b',
    'text/plain',
    'application/json; charset=utf-16',
    'application/jso',
  ],
  ...['Bearer', 'Bearer a.b.c', 'Basic YTpi', 'gzip', '1.2.3.4, ::1', 'null', '__proto__', 'a'.repeat(1000)],
]

const name = fc.oneof(fc.constantFrom(...NAMES), fc.string())
const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: character }), fc.string())
const value = fc.oneof(fc.constantFrom(...VALUES), text, fc.jsonValue({ maxDepth: 3 }))
const headerValue = fc.oneof(
  fc.constantFrom(...HEADER_VALUES),
  fc.stringMatching(/^[\x21-\x7e](?:[\x20-\x7e\xa0-\xff]*[\x21-\x7e])?$/),
)
const at = fc.nat({ max: 20 })
const kind = <const K extends string>(name: K) => fc.constant(name)

/** Something to be broken in a request; what the request does not have stays unbroken. */
export const breakage: fc.Arbitrary<Breakage> = fc.oneof(
  fc.record({ kind: kind('drop property'), at }),
  fc.record({ kind: kind('set property'), at, value }),
  fc.record({ kind: kind('add property'), name, value }),
  fc.record({ kind: kind('replace body'), value }),
  fc.record({ kind: kind('raw body'), text: fc.oneof(fc.constantFrom(...BODIES), fc.string()) }),
  fc.record({ kind: kind('cut body'), at }),
  fc.record({ kind: kind('set parameter'), at, value: fc.oneof(text, fc.uuid()) }),
  fc.record({ kind: kind('add query'), name, value: text }),
  fc.record({ kind: kind('set query'), at, value: text }),
  fc.record({
    kind: kind('end of URL'),
    text: fc.constantFrom(
      '?',
      '?&&=',
      '?%zz',
      '?a=%00',
      '?a[b]=1',
      '#a',
      '/',
      '//',
      '/..',
      '%',
      '%ff',
      ';a',
      '.',
    ),
  }),
  fc.record({ kind: kind('set header'), name: fc.constantFrom(...HEADERS), value: headerValue }),
)

/** Breaks a request, in place. */
export function apply(draft: DraftRequest, broken: Breakage): void {
  switch (broken.kind) {
    case 'drop property':
    case 'set property':
    case 'add property':
      changeProperty(draft, broken)
      return
    case 'replace body':
      draft.body = broken.value
      return
    case 'raw body':
      draft.text = broken.text
      return
    case 'cut body': {
      const whole = JSON.stringify(draft.body) ?? ''
      draft.text = whole.slice(0, Math.floor((whole.length * broken.at) / 20))
      return
    }
    case 'set parameter':
      setOne(Object.keys(draft.params), broken.at, (name) => {
        draft.params[name] = broken.value
      })
      return
    case 'add query':
      draft.query.push([broken.name, broken.value])
      return
    case 'set query':
      setOne(draft.query, broken.at, (pair) => {
        pair[1] = broken.value
      })
      return
    case 'end of URL':
      draft.suffix = broken.text
      return
    case 'set header':
      draft.headers[broken.name] = broken.value
      return
  }
}

function changeProperty(
  draft: DraftRequest,
  broken: Extract<Breakage, { kind: 'drop property' | 'set property' | 'add property' }>,
): void {
  const { body } = draft
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return
  const properties = Object.entries(body)
  if (broken.kind === 'add property') properties.push([broken.name, broken.value])
  else if (properties.length === 0) return
  else {
    const index = broken.at % properties.length
    const [name = ''] = properties[index] ?? []
    properties.splice(
      index,
      1,
      ...(broken.kind === 'set property' ? [[name, broken.value] as [string, unknown]] : []),
    )
  }
  draft.body = Object.fromEntries(properties)
}

function setOne<T>(items: readonly T[], at: number, set: (item: T) => void): void {
  const item = items[at % Math.max(items.length, 1)]
  if (item !== undefined) set(item)
}
