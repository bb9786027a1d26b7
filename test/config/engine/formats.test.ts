import t from 'tap'
import { formats } from '#config/engine/formats.ts'

const KEY = Buffer.alloc(32, 0xfb).toString('base64')
const OTHER_KEY = Buffer.alloc(32, 1).toString('base64')

const table: Record<string, { good: string[]; bad: string[] }> = {
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
    ],
  },
  'product-name': {
    good: ['Acme', 'Äpfel & Birnen 2'],
    bad: [' Acme', 'a\nb', 'a\u0000b', 'a\u202eb'],
  },
  'smtp-url': {
    good: [
      'smtp://localhost',
      'smtps://u:p%40w@mail.example:465',
      'smtp://[::1]:25/',
      'smtp://mail.example:587',
    ],
    bad: [
      '',
      'localhost',
      'http://x',
      'smtp://',
      'smtp://x/y',
      'smtp://x?tls=no',
      'smtp://x#y',
      'smtp://x:port',
      'smtp://u:%zz@x',
    ],
  },
  'sentry-dsn': {
    good: [
      'https://key@sentry.example.com/1',
      'http://a1@127.0.0.1:9000/base/path/42',
      'https://key:secret@sentry.example.com/1',
      'https://key@sentry.example.com/1/',
      'https://key@[::1]:9000/1',
    ],
    bad: [
      '',
      'sentry.example.com/1',
      'https://sentry.example.com/1',
      'https://key@sentry.example.com/',
      'https://key:p%40ss@sentry.example.com/1',
      'https://key@sentry.example.com/name',
      'https://key@sentry.example.com/1?a=b',
      'ftp://key@sentry.example.com/1',
    ],
  },
  'redis-url': {
    good: [
      'redis://localhost',
      'redis://127.0.0.1:6379/0',
      'rediss://user:p%40w@redis.example:6380/15',
      'redis://:pw@[::1]/',
    ],
    bad: [
      '',
      'localhost:6379',
      'http://x',
      'redis://',
      'redis:///0',
      'redis://x/name',
      'redis://x/0/1',
      'redis://x?db=1',
      'redis://x#y',
      'redis://x:port',
      'redis://u:%zz@x',
      'redis://u:%ff@x',
    ],
  },
  'nats-url': {
    good: [
      'nats://localhost',
      'nats://127.0.0.1:4222/',
      'tls://user:p%40w@nats.example:4222',
      'nats://token@[::1]',
    ],
    bad: [
      ...[
        '',
        'localhost:4222',
        'http://x',
        'nats://',
        'nats:///a',
        'nats://x/a',
        'nats://x?a=b',
        'nats://x#a',
      ],
      ...['nats://x:port', 'nats://u:%zz@x', 'nats://a b', 'nats://x\n'],
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
  's3-region': {
    good: ['us-east-1', 'garage', 'eu_1'],
    bad: ['', 'eu central', 'eu.example.com/', '-', 'x/y', 'x'.repeat(64)],
  },
  'subject-prefix': {
    good: ['groundwork', 'a', 'billing-2_x', 'x'.repeat(50)],
    bad: ['', 'a.b', 'a*', '>', 'a b', '\u00e4', 'x'.repeat(51)],
  },
  'header-pairs': {
    good: ['x-api-key=abc', 'a=b, c=d%2Ce', 'authorization=Basic%20YTpi=='],
    bad: ['', 'a', '=b', 'a=', 'a=%zz', 'a b=c', 'a=b,', 'a=%0A'],
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
  'proxy-url': {
    good: ['http://proxy.example.com:4750', 'https://user:p%40ss@10.0.0.1:4750', 'http://proxy/'],
    bad: [
      '',
      'proxy:4750',
      'socks5://proxy',
      'http://proxy/path',
      'http://proxy?x',
      'http://u:%ff@proxy',
      'http://a b',
    ],
  },
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
  'public-url': {
    good: [
      'http://127.0.0.1:8080',
      'https://api.example.com',
      'https://example.com/api',
      'https://example.com/a/b',
      'http://[::1]:8080',
    ],
    bad: [
      '',
      'api.example.com',
      '/api',
      'ftp://example.com',
      'https://example.com/',
      'https://example.com/api/',
      'https://example.com?a=b',
      'https://example.com/a?b',
      'https://example.com/#a',
      'https://user:pass@example.com',
      'https://exa mple.com',
      'https://example.com:99999',
      'https://:8080',
      'http:\\\\example.com',
    ],
  },
  'password-word': {
    good: ['acme', 'Acme Inc.', 'x'.repeat(100)],
    bad: ['', 'abc', ' acme', 'acme ', 'x'.repeat(101)],
  },
  'file-path': { good: ['key.pem', '/run/secrets/key.pem', './a b'], bad: ['', 'a\0b'] },
  'proxy-address': {
    good: [
      'loopback',
      'linklocal',
      'uniquelocal',
      '10.0.0.1',
      '10.0.0.0/8',
      '192.168.1.1/32',
      '::1',
      'fd00::/8',
      '2001:db8::/128',
    ],
    bad: [
      '',
      '*',
      'localhost',
      '10.0.0',
      '10.0.0.0/0',
      '10.0.0.0/33',
      '10.0.0.0/',
      '::/129',
      '::/0',
      'fe80::1%eth0',
      '10.0.0.0/8x',
    ],
  },
  'postgres-url': {
    good: [
      'postgres://user@localhost/app',
      'postgresql://user:p%40ss@db.internal:5432/app?sslmode=disable',
      'postgres://user:%23%2F%3F%25%3A%20@[::1]:5433/app',
      'postgres://user@/app?host=/run/postgresql&port=5433',
      'postgres://user@%2Frun%2Fpostgresql/app',
    ],
    bad: [
      '',
      'localhost/app',
      'mysql://localhost/app',
      'postgres:localhost',
      'POSTGRES://localhost',
      'postgres://host:port/app',
      'postgres:///app',
      'postgres://localhost/app',
      'postgres://user@localhost',
      'postgres://user@localhost/',
      'postgres://user@a,b/app',
      'postgres://user@a:1,b:2/app',
      'postgres://user:p#w@localhost/app',
      'postgres://user:p/w@localhost/app',
      'postgres://user:p%w@localhost/app',
      'postgres://user:p\nw@localhost/app',
      'postgres://user@localhost:0/app',
      'postgres://user@localhost/app#x',
      'postgres://user@localhost/app?host=b',
      'postgres://user@/app?host=b',
      'postgres://user@localhost/app?sslmode=require&sslmode=disable',
    ],
  },
  'signing-key': {
    good: ['x'.repeat(32), 'ü'.repeat(16), 'x'.repeat(500)],
    bad: ['', 'x'.repeat(31), 'ü'.repeat(15)],
  },
  origin: {
    good: [
      ...[
        '*',
        'https://app.example.com',
        'http://localhost:3000',
        'https://[2001:db8::1]',
        'http://localhost',
      ],
      ...['capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'http://tauri.localhost'],
      ...['app://obsidian.md', 'app://-', 'vscode-file://vscode-app', 'tauri://localhost:1420'],
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
      'moz-extension://5f2a4b3c-1d2e-4f3a-8b9c-0d1e2f3a4b5c',
      'safari-web-extension://5F2A4B3C-1D2E-4F3A-8B9C-0D1E2F3A4B5C',
    ],
    bad: [
      '',
      'null',
      'app.example.com',
      'https://app.example.com/',
      'https://app.example.com/path',
      'https://app.example.com:443',
      'https://APP.example.com',
      'https://*.example.com',
      'https://a b',
      'ftp://example.com',
      'http://',
      ...[
        'file://',
        'file:///',
        'file://host',
        'data://x',
        'blob:https://app.example.com',
        'wss://example.com',
      ],
      ...[
        'capacitor://',
        'capacitor://localhost/',
        'capacitor:localhost',
        'Capacitor://localhost',
        'app://a/b',
      ],
      ...[
        'chrome-extension://*',
        'app://user@host',
        'app://host?x',
        'app://host#x',
        'app://a b',
        '://localhost',
      ],
      ...[
        'app://h\u00f6st',
        'app://host\\',
        'https://b\u00fccher.example',
        'app://host:',
        'app://host:99999',
      ],
    ],
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
