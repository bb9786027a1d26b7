import { gzipSync } from 'node:zlib'
import { forgot, type HostileCase } from '../case.ts'

const VALID = '{"email":"ada@example.com"}'

const refused: [name: string, type: string][] = [
  ['text/plain with JSON in it', 'text/plain'],
  ['the type of forms', 'application/x-www-form-urlencoded'],
  ['multipart', 'multipart/form-data; boundary=x'],
  ['a type that begins with ours', 'application/jsonx'],
  ['a type that ends with ours', 'x-application/json'],
  ['a relative of ours', 'application/problem+json'],
  ['JSON Patch', 'application/json-patch+json'],
  ['the type that JSON once had', 'text/json'],
  ['half of it', 'json'],
  ['nothing', ''],
  ['a wildcard', '*/*'],
  ['half a wildcard', 'application/*'],
  ['in quotes', '"application/json"'],
  ['a list', 'application/json, text/plain'],
  ['a list the other way round', 'text/plain, application/json'],
  ['a tab in the middle', 'application/\tjson'],
  ['a tab before a word', 'application/json\tx'],
  ['a space in the middle', 'application /json'],
  ['a name that every object has', '__proto__'],
  ['another', 'constructor'],
  ['a type out of such names', 'toString/valueOf'],
  ['characters that are not ASCII', 'application/js\u00f6n'],
  ['ten thousand characters', `application/${'x'.repeat(10_000)}`],
]

const taken: [name: string, type: string][] = [
  ['in capitals', 'APPLICATION/JSON'],
  ['with a charset', 'application/json; charset=utf-8'],
  ['with tabs around it', '\tapplication/json\t'],
  ['with a tab before the parameter', 'application/json;\tcharset=utf-8'],
  ['with a semicolon and nothing', 'application/json;'],
]

export const cases: readonly HostileCase[] = [
  { name: 'none', send: forgot(VALID, []), status: 415, code: 'unsupported_media_type' },
  ...refused.map(([name, type]): HostileCase => {
    return {
      name,
      send: forgot(VALID, [['Content-Type', type]]),
      status: 415,
      code: 'unsupported_media_type',
    }
  }),
  {
    name: 'twice the same',
    send: forgot(VALID, [
      ['Content-Type', 'application/json'],
      ['Content-Type', 'application/json'],
    ]),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'two of them',
    send: forgot(VALID, [
      ['Content-Type', 'application/json'],
      ['content-type', 'text/plain'],
    ]),
    status: 415,
    code: 'unsupported_media_type',
  },
  ...['gzip', 'br', 'gzip, identity', 'x-unknown'].map((coding): HostileCase => {
    const headers = [
      ['Content-Type', 'application/json'],
      ['Content-Encoding', coding],
    ] as const
    const send = forgot(coding === 'gzip' ? gzipSync(VALID) : VALID, headers)
    return { name: `packed as ${coding}`, send, status: 415, code: 'unsupported_media_type' }
  }),
  {
    name: 'packed in nothing',
    send: forgot(VALID, [
      ['Content-Type', 'application/json'],
      ['Content-Encoding', 'Identity'],
    ]),
    status: 202,
  },
  {
    name: 'a charset that we do not read does not change how we read',
    send: forgot(Buffer.from(VALID, 'utf16le'), [['Content-Type', 'application/json; charset=utf-16le']]),
    status: 400,
    code: 'invalid_json',
  },
  ...taken.map(([name, type]): HostileCase => {
    return { name, send: forgot(VALID, [['Content-Type', type]]), status: 202 }
  }),
  {
    name: 'the form of another site',
    send: forgot('email=ada%40example.com', [
      ['Content-Type', 'application/x-www-form-urlencoded'],
      ['Origin', 'https://evil.example'],
    ]),
    status: 415,
    code: 'unsupported_media_type',
    headers: { 'access-control-allow-origin': null },
  },
]
