import { Writable } from 'node:stream'
import Fastify, { type FastifyBaseLogger as Logger } from 'fastify'
import t from 'tap'
import { loggerOptions } from '#lib/log/logger.ts'
import { HARMLESS } from '#lib/log/redaction.ts'
import { amount } from '#test/support/amount.ts'

/** No log may hold this, wherever it was put. */
const SECRET = 'S3cr3tVa1ue'
const JWT = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx${SECRET}.${SECRET}-_x`
const API_KEY = `gwk_01997d1c7b6e7c3a9d532f6a4c1e8b90${SECRET}`
const PHC = `$argon2id$v=19$m=19456,t=2,p=1$${SECRET}c2FsdA$${SECRET}aGFzaA`
const URL_TEXT = `postgres://app:${SECRET}@db.internal:5432/app`

/** Returns what a logger with our options writes. */
function capture(log: (logger: Logger) => void): string {
  let output = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      output += chunk.toString()
      done()
    },
  })
  const app = Fastify({ logger: { ...loggerOptions({ level: 'trace' }), stream } })
  log(app.log)
  return output
}

class Session {
  readonly id = SECRET
  readonly tokens = [JWT]
  toString() {
    return SECRET
  }
}

class Credentials {
  readonly value = SECRET
  toJSON() {
    return { value: this.value, text: SECRET }
  }
}

function nested(depth: number, leaf: object): object {
  return depth === 0 ? leaf : { next: nested(depth - 1, leaf) }
}

function circular(): object {
  const object: Record<string, unknown> = { password: SECRET }
  object['self'] = object
  object['list'] = [object]
  return object
}

/** As the driver's errors, which carry rows and parameters. */
function driverError(): Error {
  return Object.assign(new Error('duplicate key value violates unique constraint "users_email_key"'), {
    code: '23505',
    detail: `Key (email)=(${SECRET}) already exists.`,
    where: SECRET,
    parameters: [SECRET],
    client: { connectionParameters: { password: SECRET } },
  })
}

const PLANTED: Record<string, (logger: Logger) => void> = {
  'a field named password': (log) => log.info({ password: SECRET }),
  'names in other spellings': (log) =>
    log.info({
      newPassword: SECRET,
      user_password: SECRET,
      PASSWD: SECRET,
      pwd: SECRET,
      passphrase: SECRET,
      clientSecret: SECRET,
      accessToken: SECRET,
      refresh_token: SECRET,
      id_token: SECRET,
      Authorization: SECRET,
      'proxy-authorization': SECRET,
      cookie: SECRET,
      'Set-Cookie': [SECRET],
      'x-api-key': SECRET,
      apiKey: SECRET,
      apikey: SECRET,
      private_key: SECRET,
      signingKey: SECRET,
      password_hash: SECRET,
      hash: SECRET,
      dsn: SECRET,
      connectionString: SECRET,
      credentials: { any: SECRET },
      jwt: SECRET,
      otp: SECRET,
      session_id: SECRET,
    }),
  'nested objects': (log) => log.info({ a: { b: [{ c: { password: SECRET } }] } }),
  'very deep objects': (log) => log.info(nested(50, { password: SECRET })),
  'arrays of arrays': (log) => log.info({ list: [[[{ token: SECRET }]]] }),
  'an object that holds itself': (log) => log.info(circular()),
  configuration: (log) => log.info({ config: { jwt: { secret: SECRET }, database: { url: URL_TEXT } } }),
  headers: (log) =>
    log.info({ headers: { authorization: `Bearer ${SECRET}`, cookie: `a=${SECRET}`, 'x-api-key': SECRET } }),
  'a URL that was encoded, once or more often': (log) => {
    for (const equals of ['%3D', '%3d', '%3A', '%253D', '%25253D', '%22%3A%22'])
      log.info(
        { path: `/account/reset-password%23token${equals}${SECRET}` },
        `GET /a%3Fpassword${equals}${SECRET}`,
      )
  },
  'headers as a list': (log) =>
    log.info({ rawHeaders: ['Authorization', `Bearer ${SECRET}`, 'Cookie', `a=${SECRET}`] }),
  'a Headers object': (log) => log.info({ headers: new Headers({ authorization: SECRET }) }),
  'a Map': (log) => log.info({ map: new Map([['password', SECRET]]) }),
  'a Set': (log) => log.info({ set: new Set([SECRET]) }),
  'an instance of a class': (log) => log.info({ session: new Session(), sessions: [new Session()] }),
  'an instance as the record': (log) => log.info(new Session()),
  'an instance that serialises itself': (log) => log.info({ it: new Credentials() }),
  'an object that serialises itself': (log) => log.info({ it: { toJSON: () => ({ password: SECRET }) } }),
  'a buffer': (log) => log.info({ bytes: Buffer.from(SECRET), array: new Uint8Array(Buffer.from(SECRET)) }),
  'a URL object': (log) => log.info({ target: new URL(URL_TEXT) }),
  'an error that carries data': (log) => log.error({ err: driverError() }),
  'an error as the record': (log) => log.error(driverError()),
  'an error under another name': (log) => log.error({ error: driverError(), list: [driverError()] }),
  'an error in an object': (log) => log.error({ result: { reason: driverError() } }),
  'the cause of an error': (log) => log.error({ err: new Error('outer', { cause: driverError() }) }),
  'a cause that is not an error': (log) =>
    log.error({ err: new Error('outer', { cause: { password: SECRET } }) }),
  'errors of an AggregateError': (log) =>
    log.error({ err: new AggregateError([driverError()], 'all failed') }),
  'an error that quotes a URL': (log) => log.error({ err: new Error(`cannot connect to ${URL_TEXT}`) }),
  'an error that quotes a token': (log) => log.error(new Error(`bad token ${JWT}`)),
  'a JWT in text': (log) => log.info(`got ${JWT}`),
  'a JWT in a field': (log) => log.info({ note: `got ${JWT}`, list: [JWT] }),
  'an API key in text': (log) => log.info(`sent ${API_KEY}`),
  'an API key in a field': (log) => log.info({ note: `x-${API_KEY}.`, list: [API_KEY] }),
  'an API key that is cut': (log) => log.info(`sent gwk_${SECRET}`),
  'a hash in text': (log) => log.info(`stored ${PHC} there`),
  'a hash in a field': (log) => log.info({ note: PHC }),
  'a bearer token in text': (log) => log.info(`sent Authorization: Bearer ${SECRET}.x-y_z~+/=`),
  'basic credentials in text': (log) => log.info(`sent authorization: basic ${SECRET}==`),
  'a URL with a password in text': (log) => log.info(`connecting to ${URL_TEXT}`),
  'a URL with an @ in its password': (log) => log.info(`to postgres://app:a@${SECRET}@db.internal/app`),
  'a URL with a password and no user': (log) => log.info(`to redis://:${SECRET}@cache:6379`),
  'secrets as parameters of a URL': (log) =>
    log.info(`GET /callback?access_token=${SECRET}&password=${SECRET}#id_token=${SECRET}`),
  'JSON in text': (log) => log.info(`body {"password":"${SECRET}","access_token": "${SECRET}"}`),
  'JSON with escapes in text': (log) => log.info({ body: JSON.stringify({ password: `a"b${SECRET}` }) }),
  'assignments in text': (log) => log.info(`password=${SECRET} secret: ${SECRET}, api_key='${SECRET}'`),
  'an error bound to a child logger': (log) => log.child({ err: driverError() }).error('failed'),
  'a format': (log) => log.info('the token is %s and %j', JWT, { note: JWT }),
  "a child logger's bindings": (log) =>
    log.child({ password: SECRET, user: { token: SECRET } }).info('hello'),
}

for (const [name, log] of Object.entries(PLANTED)) {
  t.test(`${name} cannot leak`, async (t) => {
    const output = capture(log)
    t.ok(output.length > 20, 'something is logged')
    t.notMatch(output, SECRET)
    for (const line of output.trimEnd().split('\n')) t.type(JSON.parse(line), 'object')
  })
}

t.test('what is innocent stays', async (t) => {
  const innocent = {
    status: 401,
    operation: 'login',
    token_type: 'Bearer',
    expires_in: 900,
    password_hash_queue: 3,
    tokens_issued: 17,
    has_password: true,
    public_url: 'http://127.0.0.1:8080',
    url: 'https://example.com/a?b=c',
    path: '/api/v1/users/me',
    user_id: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90',
    email: 'ada@example.com',
    list: [1, 'two', null, { three: 3 }],
    nothing: null,
    at: new Date(0),
  }
  const [line = ''] = capture((log) =>
    log.info(innocent, 'listening on http://127.0.0.1:8080, mail ada@example.com'),
  ).split('\n')
  t.match(JSON.parse(line), {
    ...innocent,
    at: '1970-01-01T00:00:00.000Z',
    msg: 'listening on http://127.0.0.1:8080, mail ada@example.com',
  })
})

t.test('an error is logged with type, message, code, stack and causes', async (t) => {
  const error = new TypeError('outer', { cause: Object.assign(new Error('inner'), { code: 'ECONNREFUSED' }) })
  const line = JSON.parse(capture((log) => log.error({ err: error }, 'failed')))
  t.match(line, {
    level: 'error',
    msg: 'failed',
    err: {
      type: 'TypeError',
      message: 'outer',
      stack: /redaction\.test\.ts/,
      cause: { message: 'inner', code: 'ECONNREFUSED' },
    },
  })
})

// Expressions that backtrack would keep these from ever ending.
t.test('text made to be slow is not', async (t) => {
  // A quarter of it would still take minutes if the time grew with the square.
  const size = amount({ few: 256, many: 1024 }) * 1024
  const pieces = [
    'a',
    'eyJ',
    'eyJ.',
    'a.',
    '$argon2id$',
    'Bearer ',
    ' ',
    'http://',
    'a:',
    'http://a:',
    '://',
    '@',
    'password',
    'password=',
    '"password":"',
    '\\"',
    '\\',
    '"',
    '-',
    'e',
    'password ',
    `http://${'a:'.repeat(1000)}`,
    'basic  ',
  ]
  for (const piece of pieces) {
    const text = piece.repeat(Math.ceil(size / piece.length))
    const output = capture((log) => {
      log.info(text)
      log.info({ [text]: text })
      log.error(new Error(text))
    })
    t.ok(output.length > 0, JSON.stringify(piece))
  }
})

t.test('fields that are marked as harmless are not searched, in one line and in one logger', async (t) => {
  const output = capture((logger) => {
    const child = logger.child({})
    child.info({ path: `Bearer ${SECRET}`, [HARMLESS]: true }, 'marked')
    child.info({ path: `Bearer ${SECRET}`, [HARMLESS]: false }, 'not marked')
    child.info(`Bearer ${SECRET}`)
    // What is logged while a marked line is made is searched, and so is that line then.
    const nested = { toJSON: () => logger.info({ token: SECRET }, 'within') ?? `Bearer ${SECRET}` }
    child.info({ nested, [HARMLESS]: true }, 'around')
  })
  const [marked, ...others] = output.trim().split('\n')
  t.match(marked, SECRET, 'the mark works')
  t.equal(others.length, 4)
  t.notMatch(others.join('\n'), SECRET)
})
