import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configKeys } from '#config/engine/keys.ts'
import { readVariables, type Variables } from '#config/engine/variables.ts'

/** Result of reading variables: values by path, and problems. */
function read(env: Variables) {
  const problems: string[] = []
  const settings = readVariables(env, problems)
  return {
    values: Object.fromEntries(settings.map(({ key, value }) => [key.path, value])),
    problems,
    settings,
  }
}

t.test('text is read as its key has it, and left as it is where it is not that', async (t) => {
  const table: [string, string, unknown][] = [
    ['APP_SERVER__PORT', '8080', 8080],
    ['APP_SERVER__PORT', '-1', -1],
    ['APP_SERVER__PORT', '80.5', 80.5],
    ['APP_SERVER__PORT', '', ''],
    ['APP_SERVER__PORT', ' 80', 80],
    ['APP_SERVER__PORT', '0x50', '0x50'],
    ['APP_SERVER__PORT', '1e3', '1e3'],
    ['APP_SERVER__PORT', 'true', 'true'],
    ['APP_SERVER__WORKERS', '4', 4],
    ['APP_SERVER__WORKERS', 'auto', 'auto'],
    ['APP_PRESSURE__MAX_HEAP_UTILIZATION', '0.5', 0.5],
    ['APP_PRESSURE__MAX_HEAP_UTILIZATION', 'NaN', 'NaN'],
    ['APP_DOCS__ENABLED', 'true', true],
    ['APP_DOCS__ENABLED', 'false', false],
    ['APP_DOCS__ENABLED', 'TRUE', 'TRUE'],
    ['APP_DOCS__ENABLED', '1', '1'],
    ['APP_DOCS__ENABLED', '', ''],
    ['APP_SERVER__HOST', '1', '1'],
    ['APP_SERVER__HOST', '', ''],
    ['APP_SERVER__BODY_LIMIT', '1KiB', '1KiB'],
    ['APP_AUTH__ARGON2__TIME_COST', '3', 3],
    ['APP_CORS__ALLOWED_ORIGINS', '', []],
    ['APP_CORS__ALLOWED_ORIGINS', '*', ['*']],
    [
      'APP_CORS__ALLOWED_ORIGINS',
      'https://a.example, https://b.example',
      ['https://a.example', 'https://b.example'],
    ],
    ['APP_DATABASE__REPLICA_URLS', 'postgres://a@b/c, d', ['postgres://a@b/c', 'd']],
    ['APP_CORS__ALLOWED_ORIGINS', 'a,,b,', ['a', '', 'b']],
    ['APP_CORS__ALLOWED_ORIGINS', ' a ,b\n c\r\n d,\n', ['a', 'b', 'c', 'd']],
    [
      'APP_CORS__ALLOWED_ORIGINS',
      'https://App.example:443/, HTTP://m\u00fcnchen.example:80',
      ['https://app.example', 'http://xn--mnchen-3ya.example'],
    ],
    [
      'APP_CORS__ALLOWED_ORIGINS',
      'https://a.example/path, https://u@b.example, https://*.c.example/',
      ['https://a.example/path', 'https://u@b.example', 'https://*.c.example/'],
    ],
    ['APP_REDIS__URL', 'REDIS://U:P@Host/0/', 'redis://U:P@Host/0'],
    ['APP_DATABASE__URL', 'PostgreSQL://U:P@Host/Name', 'postgresql://U:P@Host/Name'],
    ['APP_PRODUCT__SUPPORT', 'HTTPS://example.com/Help/', 'https://example.com/Help'],
  ]
  for (const [name, text, expected] of table) {
    const { settings, problems } = read({ [name]: text })
    t.strictSame(
      settings.map(({ key, value, source }) => [key.variable, value, source]),
      [[name, expected, name]],
      `${name}=${text}`,
    )
    t.same(problems, [])
  }
})

t.test('what comes along with a copied value, or around it, is not part of it, or told', async (t) => {
  t.same(read({ APP_DATABASE__URL: '\u200bpostgres://a@b/c\u200b\n' }).values, {
    'database.url': 'postgres://a@b/c',
  })
  t.same(read({ APP_SERVER__HOST: '"' }).problems, [])
  const quoted = (name: string) => [
    `${name}: begins and ends with a quotation mark: leave both out; docker run --env-file, for one, does not take them away`,
  ]
  for (const value of ['"0.0.0.0"', "'0.0.0.0'", ' "0.0.0.0"\n', '""', '"a\nb"']) {
    t.same(read({ APP_SERVER__HOST: value }).problems, quoted('APP_SERVER__HOST'), value)
  }
  t.same(read({ APP_EMAIL__FROM: '"Doe, Inc." <a@b.example>' }).problems, [])
  const secret = join(t.testdir({ secret: '"x"\n' }), 'secret')
  t.same(read({ APP_JWT__SECRET_FILE: secret }).problems, quoted('APP_JWT__SECRET_FILE'))
  t.match(read({ APP_JWT__SECRET_FILE: `'${secret}'` }).problems, [
    quoted('APP_JWT__SECRET_FILE')[0],
    /ENOENT/,
  ])
})

t.test("variables that are somebody else's are left alone", async (t) => {
  const { settings, problems } = read({
    APP_NAME: 'x',
    APP_PORT: 'tcp://10.0.0.1:80',
    APP_SERVER_PORT: '1',
    APP_PORT_80_TCP_ADDR: '10.0.0.1',
    APPLICATION__X: 'x',
    MY_APP_SERVER__PORT: '1',
    SERVER__PORT: '1',
    PATH: '/bin',
    APP_SERVER__PORT: undefined,
  })
  t.same(settings, [])
  t.same(problems, [])
})

t.test('a variable with a double underscore that no key answers to is a problem', async (t) => {
  const table: [string, string][] = [
    ['APP_SERVER__PROT', '; did you mean APP_SERVER__PORT?'],
    ['APP_SERVER__', ''],
    ['APP__SERVER__PORT', '; did you mean APP_SERVER__PORT?'],
    ['APP_AUTH_ARGON2__TIME_COST', '; did you mean APP_AUTH__ARGON2__TIME_COST?'],
    ['app_server__port', '; did you mean APP_SERVER__PORT?'],
    ['APP_Server__Port', '; did you mean APP_SERVER__PORT?'],
    ['APP_JWT__SECRET_FIEL', '; did you mean APP_JWT__SECRET_FILE?'],
    ['APP_SERVER__PORT_FILE', ''],
    ['APP_SERVER__HOST__NAME', ''],
    ['APP___PROTO____POLLUTED', ''],
    ['APP_CONSTRUCTOR__PROTOTYPE', ''],
    ['APP_SERVER__CONSTRUCTOR', ''],
    ['APP__', ''],
  ]
  for (const [name, hint] of table) {
    const { settings, problems } = read({ [name]: '1' })
    t.same(problems, [`${name}: is not a known variable${hint}`])
    t.same(settings, [])
  }
})

t.test('secrets come from files, less the white space around them', async (t) => {
  const table: [string, string][] = [
    ['plain', 'plain'],
    ['line\n', 'line'],
    ['windows\r\n', 'windows'],
    ['two\n\n', 'two'],
    [' spaces \n', 'spaces'],
    ['\ufefftwo words\n', 'two words'],
    ['', ''],
  ]
  for (const [content, expected] of table) {
    const path = join(t.testdir({ secret: content }), 'secret')
    const { settings, problems } = read({ APP_JWT__SECRET_FILE: path })
    t.same(problems, [])
    t.match(settings, [{ key: { path: 'jwt.secret' }, value: expected, source: 'APP_JWT__SECRET_FILE' }])
  }
})

t.test('files of secrets that give none', async (t) => {
  const directory = t.testdir({ secret: 'x', folder: {} })
  writeFileSync(join(directory, 'binary'), Buffer.from([0xff, 0xfe, 0x80, 0x81]))
  const table: [string, string][] = [
    [join(directory, 'nothing'), 'ENOENT'],
    [join(directory, 'folder'), 'EISDIR'],
    [join(directory, 'binary'), 'ERR_ENCODING_INVALID_ENCODED_DATA'],
    ['', 'ENOENT'],
    ['a\0b', 'ERR_INVALID_ARG_VALUE'],
  ]
  for (const [path, code] of table) {
    const { settings, problems } = read({ APP_JWT__SECRET_FILE: path })
    t.same(problems, [`APP_JWT__SECRET_FILE: names a file that cannot be read as text (${code})`])
    t.same(settings, [])
  }
})

t.test('a secret given twice', async (t) => {
  const path = join(t.testdir({ secret: 'from the file' }), 'secret')
  for (const value of ['from the variable', '']) {
    const { problems, values } = read({ APP_JWT__SECRET: value, APP_JWT__SECRET_FILE: path })
    t.same(problems, [
      'APP_JWT__SECRET_FILE: is set together with APP_JWT__SECRET; only one of them can hold',
    ])
    t.same(values, { 'jwt.secret': value })
  }
})

t.test('keys that end in _file are keys like others', async (t) => {
  const { values, problems } = read({ APP_DATABASE__TLS_CA_FILE: '/no/such/file' })
  t.same(values, { 'database.tls_ca_file': '/no/such/file' })
  t.same(problems, [])
})

t.test('every key has one variable, which no file of a secret shares', async (t) => {
  const names = configKeys.flatMap((key) =>
    key.secret ? [key.variable, `${key.variable}_FILE`] : [key.variable],
  )
  t.equal(new Set(names).size, names.length)
  for (const name of names)
    t.match(name, /^APP_(ENVIRONMENT|ROLE|[A-Z0-9]+(_[A-Z0-9]+)*(__[A-Z0-9]+(_[A-Z0-9]+)*)+)$/)
})
