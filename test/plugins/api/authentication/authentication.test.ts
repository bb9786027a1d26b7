import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { createTestApp } from '#test/support/helper.ts'

const URL = '/api/v1/users/me'
const HEADER = { alg: 'HS256', typ: 'at+jwt' }
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

type Claims = Record<string, unknown>
type Part = Record<string, unknown> | unknown[] | string | number | null

t.test('every token that is not exactly ours gets one and the same 401', async (t) => {
  const { app, request, signUp, logLines } = await borrowTestApp(t)
  const { user, session_id, headers: ours } = await signUp()
  const stranger = await signUp()
  const { secret } = app.config.jwt
  const now = Math.floor(Date.now() / 1000)
  const claims: Claims = {
    sub: user.id,
    sid: session_id,
    role: 'user',
    jti: randomUUID(),
    iat: now,
    exp: now + 900,
    aud: 'groundwork',
    iss: 'groundwork',
  }
  const make = (changes: Claims, header: Part = HEADER) => hs256(secret, header, { ...claims, ...changes })
  const without = (name: string) => {
    const { [name]: _, ...rest } = claims
    return hs256(secret, HEADER, rest)
  }
  const genuine = make({})
  const [head = '', body = '', signature = ''] = genuine.split('.')
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const unsigned = (header: Part) => `${encode(header)}.${body}.`

  const tokens: Record<string, string> = {
    'alg none': unsigned({ alg: 'none', typ: 'at+jwt' }),
    'alg None with a signature': `${encode({ alg: 'None', typ: 'at+jwt' })}.${body}.${signature}`,
    'no alg': make({}, { typ: 'at+jwt' }),
    'alg null': make({}, { alg: null, typ: 'at+jwt' }),
    HS384: make({}, { alg: 'HS384', typ: 'at+jwt' }),
    HS512: hs512(secret, claims),
    RS256: rs256(claims),
    'RS256 key confusion': hs256(pem, HEADER, claims),
    'typ JWT': make({}, { alg: 'HS256', typ: 'JWT' }),
    'typ missing': make({}, { alg: 'HS256' }),
    'typ of a refresh token': make({}, { alg: 'HS256', typ: 'rt+jwt' }),
    'typ as a media type': make({}, { alg: 'HS256', typ: 'application/at+jwt' }),
    'typ in capitals': make({}, { alg: 'HS256', typ: 'AT+JWT' }),
    'typ an array': make({}, { alg: 'HS256', typ: ['at+jwt'] }),
    'header in another order': make({}, { typ: 'at+jwt', alg: 'HS256' }),
    'header null': make({}, null),
    'header an array': make({}, [HEADER]),
    'header not JSON': make({}, 'header'),
    crit: make({}, { ...HEADER, crit: ['exp'] }),
    'crit unknown': make({}, { ...HEADER, crit: ['x'], x: 1 }),
    kid: make({}, { ...HEADER, kid: '../../dev/null' }),
    jwk: make({}, { ...HEADER, jwk: { kty: 'oct', k: encode('k') } }),
    jku: make({}, { ...HEADER, jku: 'https://attacker.example/keys' }),
    x5u: make({}, { ...HEADER, x5u: 'https://attacker.example/cert' }),
    b64: make({}, { ...HEADER, b64: false }),
    'another key': hs256(`${secret}!`, HEADER, claims),
    'an empty key': hs256('', HEADER, claims),
    'another issuer': make({ iss: 'elsewhere' }),
    'issuer an array': make({ iss: ['groundwork'] }),
    'issuer in capitals': make({ iss: 'GROUNDWORK' }),
    'another audience': make({ aud: 'elsewhere' }),
    'audience an array that holds ours': make({ aud: ['groundwork', 'elsewhere'] }),
    'audience an array of ours': make({ aud: ['groundwork'] }),
    'audience null': make({ aud: null }),
    'exp in the past': make({ iat: now - 1000, exp: now - 100 }),
    'exp a second ago': make({ iat: now - 900, exp: now - 1 }),
    'exp as a string': make({ exp: String(now + 900) }),
    'exp null': make({ exp: null }),
    'exp negative': make({ exp: -1 }),
    'exp a fraction': make({ exp: now + 800.5 }),
    'exp huge': make({ exp: 1e300 }),
    'exp beyond our lifetime': make({ exp: now + 901 }),
    'exp in milliseconds': make({ exp: (now + 900) * 1000 }),
    'exp before iat': make({ iat: now + 30, exp: now + 20 }),
    'nbf in the future': make({ nbf: now + 1000 }),
    'nbf as a string': make({ nbf: 'now' }),
    'iat as a string': make({ iat: String(now) }),
    'iat null': make({ iat: null }),
    'iat negative': make({ iat: -1 }),
    'iat a fraction': make({ iat: now + 0.5 }),
    'iat in the future': make({ iat: now + 1000, exp: now + 1900 }),
    'sub not a UUID': make({ sub: 'admin' }),
    'sub empty': make({ sub: '' }),
    'sub a number': make({ sub: 1 }),
    'sub null': make({ sub: null }),
    'sub an array': make({ sub: [user.id] }),
    'sub with SQL': make({ sub: `${user.id}' OR '1'='1` }),
    'sub with NUL': make({ sub: `${user.id}\0` }),
    'sub nobody': make({ sub: uuidv7() }),
    "sub somebody else than the session's": make({ sub: stranger.user.id }),
    'sid not a UUID': make({ sid: 'session' }),
    'sid empty': make({ sid: '' }),
    'sid a number': make({ sid: 1 }),
    'sid null': make({ sid: null }),
    'sid an array': make({ sid: [session_id] }),
    'sid with SQL': make({ sid: `${session_id}' OR '1'='1` }),
    'sid of no session': make({ sid: uuidv7() }),
    "sid of somebody else's session": make({ sid: stranger.session_id }),
    'a claim that we do not issue': make({ scope: 'admin' }),
    'an unknown role': make({ role: 'root' }),
    'role an array': make({ role: ['user'] }),
    'jti a number': make({ jti: 1 }),
    'jti empty': make({ jti: '' }),
    'payload null': hs256(secret, HEADER, null),
    'payload an array': hs256(secret, HEADER, [claims]),
    'payload a string': hs256(secret, HEADER, JSON.stringify('text')),
    'payload a number': hs256(secret, HEADER, 1),
    'payload not JSON': hs256(secret, HEADER, '{'),
    'payload empty': hs256(secret, HEADER, ''),
    'payload of another token': `${head}.${encode({ ...claims, sub: uuidv7() })}.${signature}`,
    'no signature': `${head}.${body}`,
    'empty signature': `${head}.${body}.`,
    'shortened signature': genuine.slice(0, -1),
    'signature in another spelling': genuine.slice(0, -1) + spareBit(genuine.slice(-1)),
    'signature padded': `${genuine}=`,
    'payload padded': `${head}.${body}=.${signature}`,
    'standard base64': `${head}.${body}.${signature.slice(0, -1)}+`,
    'one part': head,
    'four parts': `${genuine}.${signature}`,
    'a dot before': `.${genuine}`,
    'a dot after': `${genuine}.`,
    'only dots': '..',
    'five parts, as JWE': `${genuine}.a.b`,
    'not base64': '!.!.!',
    Unicode: `${head}.${body}.\u00fcber`,
    noise: 'A'.repeat(16_384),
    'noise in three parts': `${head}.${'A'.repeat(16_000)}.${signature}`,
    'only dots, many': '.'.repeat(16_384),
  }
  for (const name of Object.keys(claims)) tokens[`without ${name}`] = without(name)

  const authorizations: Record<string, string> = {
    'no scheme': genuine,
    Basic: `Basic ${Buffer.from('ada:secret').toString('base64')}`,
    'Basic with our token': `Basic ${genuine}`,
    'Bearer alone': 'Bearer',
    'Bearer and a space': 'Bearer ',
    'no space': `Bearer${genuine}`,
    'a tab': `Bearer\t${genuine}`,
    'something after': `Bearer ${genuine} x`,
    'two tokens': `Bearer ${genuine}, Bearer ${genuine}`,
    quotes: `Bearer "${genuine}"`,
    'a space before': `x Bearer ${genuine}`,
    empty: '',
    'not ASCII': 'Bearer \u00e4\u00f6\u00fc',
    'control characters': 'Bearer \u0001\u007f',
  }
  for (const [name, token] of Object.entries(tokens)) authorizations[name] = `Bearer ${token}`

  t.equal((await request({ url: URL, headers: ours })).statusCode, 200, 'a token that we issued')
  t.equal((await request({ url: URL, headers: bearer(genuine) })).statusCode, 200, 'one made the same way')
  const first = await request({ url: URL })
  for (const [name, authorization] of Object.entries(authorizations)) {
    const response = await request({ url: URL, headers: { authorization } })
    expectProblem(t, response, { status: 401, code: 'unauthenticated', absent: [user.email] }, name)
    t.equal(response.headers['www-authenticate'], 'Bearer', `${name}: the one challenge`)
    const repeated = await request({ url: URL, headers: { authorization } })
    t.equal(repeated.statusCode, 401, `${name}: again`)
    t.same(comparable(response), comparable(first), `${name}: as without a token`)
  }
  for (const line of logLines) t.notOk(line.includes(body), 'no token is logged')
})

t.test('the scheme is read as RFC 9110 says: in any case, one space or more', async (t) => {
  const { app, request, signUp } = await borrowTestApp(t)
  const { user, session_id } = await signUp()
  const token = app.tokens.issue(user, session_id)
  for (const authorization of [`bearer ${token}`, `BEARER ${token}`, `Bearer   ${token}`]) {
    const { statusCode } = await request({ url: URL, headers: { authorization } })
    t.equal(statusCode, 200, authorization.slice(0, 9))
  }
})

t.test('a token lives for its time and is known by every instance with the key', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const { user, session_id } = await signUp()
  const other = await borrowTestApp(t, { APP_DATABASE__URL: db.url })
  const headers = bearer(app.tokens.issue(user, session_id))
  t.equal((await other.request({ url: URL, headers })).statusCode, 200)

  const stranger = await borrowTestApp(t, {
    APP_DATABASE__URL: db.url,
    APP_JWT__SECRET: 'another key, and long enough to be taken',
  })
  t.equal((await stranger.request({ url: URL, headers })).statusCode, 401)
  const shorter = await borrowTestApp(t, { APP_DATABASE__URL: db.url, APP_JWT__EXPIRES_IN: '1m' })
  t.equal((await shorter.request({ url: URL, headers })).statusCode, 401, 'a life that was cut holds for all')

  const now = Math.floor(Date.now() / 1000)
  const ours = { iss: 'groundwork', aud: 'groundwork', sub: user.id, sid: session_id, role: 'user' }
  const token = hs256(app.config.jwt.secret, HEADER, {
    ...ours,
    jti: randomUUID(),
    iat: now + 20,
    exp: now + 920,
  })
  t.equal((await request({ url: URL, headers: bearer(token) })).statusCode, 200, 'clocks differ a little')
})

t.test('a token may promise less than its user has, but not more', async (t) => {
  const { app, request, signUp } = await borrowTestApp(t)
  const { user, session_id } = await signUp()
  const admin = await signUp({ role: 'admin' })
  const more = bearer(app.tokens.issue({ id: user.id, role: 'admin' }, session_id))
  const less = bearer(app.tokens.issue({ ...admin.user, role: 'user' }, admin.session_id))
  const none = comparable(await request({ url: URL }))
  for (const url of [URL, '/api/v1/users']) {
    const response = await request({ url, headers: more })
    expectProblem(t, response, { status: 401, code: 'unauthenticated', absent: [user.email] }, url)
    t.same(comparable(response), none, 'as without a token')
    t.equal((await request({ url, headers: less })).statusCode, 200, 'the role is that of the database')
  }
})

t.test('public routes do not look at tokens', async (t) => {
  const { request } = await borrowTestApp(t)
  const payload = { email: 'ada@example.com', username: 'ada', password: 'correct horse' }
  const headers = { authorization: 'Bearer nonsense' }
  const response = await request({ method: 'POST', url: '/api/v1/users', headers, payload })
  t.equal(response.statusCode, 201)
})

/** Whatever of a response may not depend on what was wrong with the token. */
function comparable(response: Awaited<ReturnType<Awaited<ReturnType<typeof createTestApp>>['request']>>) {
  const { request_id, ...body } = response.json()
  const { date, 'x-request-id': id, ...headers } = response.headers
  return { status: response.statusCode, body, headers }
}

function bearer(token: string) {
  return { authorization: `Bearer ${token}` }
}

/** Text stays as it is, so that what is not JSON can be made too. */
function encode(part: Part): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

function hs256(secret: string, header: Part, payload: Part): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

function hs512(secret: string, payload: Part): string {
  const input = `${encode({ alg: 'HS512', typ: 'at+jwt' })}.${encode(payload)}`
  return `${input}.${createHmac('sha512', secret).update(input).digest('base64url')}`
}

function rs256(payload: Part): string {
  const input = `${encode({ alg: 'RS256', typ: 'at+jwt' })}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
}

/** The same 32 bytes end in one of four characters, of which encoders write the first. */
function spareBit(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(character) + 1)
}
