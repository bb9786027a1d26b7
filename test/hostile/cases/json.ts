import { gzipSync } from 'node:zlib'
import { forgot, type HostileCase, post } from '../case.ts'

const VALID = '{"email":"ada@example.com"}'
const TYPE = ['Content-Type', 'application/json'] as const
/** Less than the 256 KiB that a body may have. */
const DEEP = 100_000

const withEmail = (text: string) => `{"email":${text}}`

const notJson: [name: string, body: string | Buffer][] = [
  ['nothing', ''],
  ['spaces', '   \n'],
  ['half an object', '{"email":'],
  ['a comma too many', '{"email":"ada@example.com",}'],
  ['single quotes', "{'email':'ada@example.com'}"],
  ['a name without quotes', '{email:"ada@example.com"}'],
  ['a comment', '{"email":"ada@example.com"/* */}'],
  ['garbage after it', `${VALID}x`],
  ['a second value', `${VALID}${VALID}`],
  ['NUL after it', `${VALID}\0`],
  ['a vertical tab between tokens', '{\v"email":"ada@example.com"}'],
  ['a control character in text', withEmail('"a\u0001b"')],
  ['a line break in text', withEmail('"ada@example.com\n"')],
  ['an escape that there is not', withEmail('"\\x41"')],
  ['half an escape', withEmail('"\\u00"')],
  ['NaN', withEmail('NaN')],
  ['Infinity', withEmail('-Infinity')],
  ['a hexadecimal number', withEmail('0x10')],
  ['an octal number', withEmail('010')],
  ['a plus sign', withEmail('+1')],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
  ['Latin-1', Buffer.from('{"email":"\u00e9@example.com"}', 'latin1')],
  ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xae, 0x22])],
  ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['UTF-16', Buffer.from(`\ufeff${VALID}`, 'utf16le')],
  ['two byte order marks', `\ufeff\ufeff${VALID}`],
  ['__proto__', '{"__proto__":{"is_admin":true},"email":"ada@example.com"}'],
  ['__proto__ spelt with an escape', '{"\\u005f_proto__":{},"email":"ada@example.com"}'],
  ['__proto__ deep down', withEmail('[{"a":{"__proto__":1}}]')],
  ['a constructor with a prototype', '{"constructor":{"prototype":{"role":"admin"}}}'],
  ['arrays that never end', '['.repeat(DEEP)],
  ['a body that is packed', gzipSync(VALID)],
]

const notValid: [name: string, body: string, pointer: string][] = [
  ['null', 'null', '/body'],
  ['true', 'true', '/body'],
  ['a number', '1', '/body'],
  ['text', '"ada@example.com"', '/body'],
  ['an array', `[${VALID}]`, '/body'],
  ['a number in place of text', withEmail('1'), '/body/email'],
  ['a number of ten thousand digits', withEmail(`1${'0'.repeat(10_000)}`), '/body/email'],
  ['a number beyond every range', withEmail('1e999'), '/body/email'],
  ['minus zero', withEmail('-0'), '/body/email'],
  ['null in place of text', withEmail('null'), '/body/email'],
  ['text in an array', withEmail('["ada@example.com"]'), '/body/email'],
  ['text in an object', withEmail('{"toString":"ada@example.com"}'), '/body/email'],
  ['a quarter of a megabyte of arrays', withEmail('['.repeat(DEEP) + ']'.repeat(DEEP)), '/body/email'],
  ['a hundred thousand items', withEmail(`[${'1,'.repeat(DEEP)}1]`), '/body/email'],
  ['the last of duplicate keys is wrong', '{"email":"ada@example.com","email":1}', '/body/email'],
]

/** Names that every object has in JavaScript. */
const inherited = [
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  'toJSON',
  'then',
]

export const cases: readonly HostileCase[] = [
  ...notJson.map(([name, body]): HostileCase => {
    return { name, send: forgot(body), status: 400, code: 'invalid_json' }
  }),
  ...notValid.map(([name, body, pointer]): HostileCase => {
    return { name, send: forgot(body), status: 400, code: 'validation_failed', pointers: [pointer] }
  }),
  ...inherited.map((property): HostileCase => {
    const send = forgot(`{"email":"ada@example.com","${property}":1}`)
    const pointers = [`/body/${property}`]
    return { name: `${property} as a property`, send, status: 400, code: 'validation_failed', pointers }
  }),
  {
    name: 'a megabyte of nested arrays',
    send: forgot('['.repeat(524_288) + ']'.repeat(524_288)),
    status: 413,
    code: 'payload_too_large',
  },
  {
    name: 'a megabyte in chunks, of no announced length',
    send: {
      ...forgot(`80000\r\n${'['.repeat(0x8_0000)}\r\n80000\r\n${']'.repeat(0x8_0000)}\r\n0\r\n\r\n`),
      headers: [TYPE, ['Transfer-Encoding', 'chunked']],
    },
    status: 413,
    code: 'payload_too_large',
  },
  {
    name: 'ten thousand unknown properties',
    send: forgot(
      JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`p${index}`, 1]))),
    ),
    status: 400,
    code: 'validation_failed',
  },
  {
    name: 'a name of JSON Pointer characters is escaped',
    send: forgot('{"email":"ada@example.com","a/b~c":1}'),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/a~1b~0c'],
  },
  {
    name: 'a refused value is not repeated',
    send: forgot(withEmail('"canary"')),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/email'],
  },
  {
    name: 'a boolean in quotes is not a boolean',
    send: post('/api/v1/users/{{other.id}}', { is_active: 'false' }, { method: 'PATCH', as: 'admin' }),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/is_active'],
  },
  {
    name: 'zero is not a boolean',
    send: post('/api/v1/users/{{other.id}}', { is_active: 0 }, { method: 'PATCH', as: 'admin' }),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/is_active'],
  },
  {
    name: 'null takes nothing away',
    send: post('/api/v1/users/{{other.id}}', { role: null }, { method: 'PATCH', as: 'admin' }),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/role'],
  },
  { name: 'a byte order mark is passed over', send: forgot(`\ufeff${VALID}`), status: 202 },
  {
    name: 'the last of duplicate keys counts',
    send: forgot('{"email":1,"email":"ada@example.com"}'),
    status: 202,
  },
  { name: 'surrounding space does not belong to it', send: forgot(`\r\n\t ${VALID} \r\n`), status: 202 },
  {
    name: 'any character may be escaped',
    send: forgot('{"\\u0065mail":"\\u0061da@example.com"}'),
    status: 202,
  },
]
