import t from 'tap'
import { formats } from '#config/engine/formats.ts'
import { URL_FORMATS } from './url-formats.ts'

const KEY = Buffer.alloc(32, 0xfb).toString('base64')
const OTHER_KEY = Buffer.alloc(32, 1).toString('base64')

const table: Record<string, { good: string[]; bad: string[] }> = {
  ...URL_FORMATS,
  environment: {
    good: ['development', 'production', 'staging-2', 'a'],
    bad: ['', 'default', 'local', 'Production', '2nd', '../secrets', 'a/b', 'a.b', 'a\n', '__proto__'],
  },
  contact: {
    good: ['support@example.com', 'https://example.com/support', 'http://localhost:3000/help'],
    bad: [
      '',
      'support',
      'support@',
      'ftp://example.com',
      'javascript:alert(1)',
      'Support <support@example.com>',
      'https://example.com/\u202e',
    ],
  },
  'product-name': {
    good: [
      'Acme',
      'Äpfel & Birnen 2',
      'می\u200cخواهم',
      'Acme \u{1f469}\u200d\u{1f680}',
      '\u2764\ufe0f\u200d\u{1f525}',
    ],
    bad: [
      ' Acme',
      'a\nb',
      'a\u0000b',
      'a\u202eb',
      'a\u200bb',
      '\u200da',
      'a\u200d',
      'a \u200c b',
      'a\u200d\u200db',
    ],
  },
  's3-bucket': {
    good: ['files', 'a-b.c_d', 'Files1', 'x'.repeat(63)],
    bad: ['', 'ab', 'b/c', 'b?c', 's3://files', '.files', 'files.', 'b c', 'b@c', '\u00e4bc', 'x'.repeat(64)],
  },
  's3-prefix': {
    good: ['files', 'files/', 'a/b-c/d.e_f/', '.hidden/'],
    bad: ['', '/', '/files', 'a//b', '../x', 'a/../b', 'a/.', 'a?b', 'a#b', 'a b', '%2e/', 'x'.repeat(201)],
  },
  'accel-prefix': {
    good: ['/stored-files/', '/a/b_2/'],
    bad: ['', '/', '//', 'a/', '/a', '/a//b/', '/../', '/a b/', '/%2e/', `/${'x'.repeat(99)}/`],
  },
  's3-region': {
    good: ['us-east-1', 'garage', 'eu_1'],
    bad: ['', 'eu central', 'eu.example.com/', '-', 'x/y', 'x'.repeat(64)],
  },
  'subject-prefix': {
    good: ['groundwork', 'a', 'billing-2_x', 'x'.repeat(50)],
    bad: ['', 'a.b', 'a*', '>', 'a b', '\u00e4', 'x'.repeat(51)],
  },
  'header-pairs': {
    good: ['x-api-key=abc', 'a=b, c=d%2Ce', 'authorization=Basic%20YTpi==', 'a=b,', 'a=b , c=d , '],
    bad: ['', ',', 'a', '=b', 'a=', 'a=%zz', 'a b=c', 'a=b,,', ',a=b', 'a=%0A'],
  },
  'encryption-keys': {
    good: [KEY, `${KEY},${OTHER_KEY}`, `${KEY}\n${OTHER_KEY}\n`, ` ${KEY} , ${OTHER_KEY}`],
    bad: [
      ...['', ',', 'c2hvcnQ=', KEY.slice(0, -1), `${KEY.slice(0, -2)}B=`, KEY.replaceAll('+', '-')],
      ...[`${KEY},${KEY}`, `${KEY},x`, `x${KEY}`, KEY + OTHER_KEY],
    ],
  },
  network: {
    good: ['10.20.0.0/16', 'fd00::/8', '192.0.2.1/32'],
    bad: ['', '10.20.0.0', 'loopback', '10.0.0.0/0', '10.0.0.0/33', 'fd00::/129', 'x/8'],
  },
  port: { good: ['1', '443', '65535'], bad: ['', '0', '65536', '0443', '+443', '443 ', 'https'] },
  'key-prefix': {
    good: ['groundwork:', 'a', 'x'.repeat(100)],
    bad: ['', 'a b', 'ä:', 'x'.repeat(101), 'a\n'],
  },
  mailbox: {
    good: [
      'a@b.example',
      "Ä. O'Neill & Co <no-reply@b.example>",
      'no-reply@localhost',
      '<a@b>',
      '"A" <a@b>',
      '"Doe, Inc." <a@b.example>',
      '"The \\"Best\\" (really) <x>; Co: @" <a@b.example>',
      'Acme Inc. <a@b.example>',
      'Acme<a@b.example>',
      'Acme  <a@b.example>',
      '"Doe, Inc."<a@b.example>',
    ],
    bad: [
      '',
      'a',
      'a@',
      'A\nB <a@b>',
      'a@b, c@d',
      'Doe, Inc. <a@b>',
      'A <a@b> <c@d>',
      'a@b\n',
      'group: a@b, c@d;',
      'A (comment) <a@b>',
      '"A <a@b>',
      'A <"x y"@b>',
      'A <a@b',
    ],
  },
  'password-word': {
    good: ['acme', 'Acme Inc.', 'x'.repeat(100)],
    bad: ['', 'abc', ' acme', 'acme ', 'x'.repeat(101)],
  },
  'file-path': { good: ['key.pem', '/run/secrets/key.pem', './a b'], bad: ['', 'a\0b'] },
  'signing-key': {
    good: ['x'.repeat(32), 'ü'.repeat(16), 'x'.repeat(500)],
    bad: ['', 'x'.repeat(31), 'ü'.repeat(15)],
  },
  'header-name': {
    good: ['X-App-Version', 'x-trace', 'apikey', "a!#$%&'*+-.^_`|~9"],
    bad: ['', '*', 'X App', 'X-App:', 'X-App\n', '\u00e4', 'a,b', 'x'.repeat(101)],
  },
}

t.test('every format has its rows', async (t) => {
  t.same(Object.keys(table).sort(), Object.keys(formats).sort())
})

for (const [name, { validate, expects }] of Object.entries(formats)) {
  t.test(name, async (t) => {
    const { good, bad } = table[name] ?? { good: [], bad: [] }
    for (const value of good) t.equal(validate(value), true, `accepts ${JSON.stringify(value)}`)
    for (const value of bad) t.equal(validate(value), false, `refuses ${JSON.stringify(value)}`)
    t.match(expects, /^[a-z]/, 'says what it expects')
  })
}
