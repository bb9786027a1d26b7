import { createHmac } from 'node:crypto'
import t from 'tap'
import { validate as isUuid } from 'uuid'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const URL = '/api/v1/auth/login'
const USER_KEYS = ['created_at', 'email', 'id', 'is_active', 'role', 'updated_at', 'username']

t.test('login returns a pair of tokens and the user, and forbids caches to store them', async (t) => {
  const { app, db, request, signUp, logLines } = await borrowTestApp(t)
  const { user, password } = await signUp()
  const response = await app.inject({ method: 'POST', url: URL, payload: { email: user.email, password } })

  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  const body = response.json()
  t.same(Object.keys(body).sort(), ['access_token', 'expires_in', 'refresh_token', 'token_type', 'user'])
  t.match(body, { token_type: 'Bearer', expires_in: 900, refresh_token: /^[\w-]{43}$/ })
  t.same(Object.keys(body.user).sort(), USER_KEYS)

  const me = await request({
    url: '/api/v1/users/me',
    headers: { authorization: `Bearer ${body.access_token}` },
  })
  t.equal(me.statusCode, 200)
  t.same(me.json(), body.user)
  for (const line of [...logLines, response.body]) {
    t.notMatch(line, password)
    t.notMatch(line, 'argon2')
  }
  const kept = await db.query('SELECT * FROM refresh_tokens NATURAL FULL JOIN sessions')
  for (const place of [...logLines, JSON.stringify(kept)]) {
    t.notOk(place.includes(body.access_token), 'the access token is not kept')
    t.notOk(place.includes(body.refresh_token), 'the refresh token is not kept')
  }
})

t.test('a token says exactly what is documented', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const { user, password, session_id } = await signUp({ role: 'admin' })
  const before = Math.floor(Date.now() / 1000)
  const tokens = []
  for (let count = 0; count < 3; count++) {
    const response = await app.inject({ method: 'POST', url: URL, payload: { email: user.email, password } })
    tokens.push(response.json().access_token)
  }
  const after = Math.floor(Date.now() / 1000)
  const ids = new Set()
  const sessions = new Set([session_id])
  for (const token of tokens) {
    const [header, payload, signature] = token.split('.')
    t.same(parse(header), { alg: 'HS256', typ: 'at+jwt' })
    const { iat, exp, jti, sid, ...claims } = parse(payload)
    t.same(claims, { iss: 'groundwork', aud: 'groundwork', sub: user.id, role: 'admin' })
    t.ok(iat >= before && iat <= after, 'iat is now')
    t.equal(exp, iat + 900)
    t.ok(isUuid(jti))
    ids.add(jti)
    sessions.add(sid)
    const hmac = createHmac('sha256', app.config.jwt.secret).update(`${header}.${payload}`)
    t.equal(signature, hmac.digest('base64url'))
  }
  t.equal(ids.size, tokens.length, 'no two have the same jti')
  const opened = await db.query('SELECT id FROM sessions WHERE user_id = $1', [user.id])
  t.same(new Set(opened.map(({ id }) => id)), sessions, 'each login opens the session that its token names')
  t.equal(sessions.size, tokens.length + 1)
})

t.test('the life, issuer and audience of a token come from the configuration', async (t) => {
  const { app, signUp, request } = await borrowTestApp(t, {
    APP_JWT__EXPIRES_IN: '90s',
    APP_JWT__ISSUER: 'https://id.example.com',
    APP_JWT__AUDIENCE: 'https://api.example.com',
  })
  const { user, password } = await signUp()
  const response = await app.inject({ method: 'POST', url: URL, payload: { email: user.email, password } })
  const { access_token, expires_in } = response.json()
  t.equal(expires_in, 90)
  const { iss, aud, iat, exp } = parse(access_token.split('.')[1])
  t.same([iss, aud, exp - iat], ['https://id.example.com', 'https://api.example.com', 90])
  const me = await request({ url: '/api/v1/users/me', headers: { authorization: `Bearer ${access_token}` } })
  t.equal(me.statusCode, 200)
})

t.test('the email signs in whatever its case and normal form', async (t) => {
  const { app, signUp } = await borrowTestApp(t)
  const { password } = await signUp({ email: 'Jos\u00e9@Example.com' })
  const rows = [
    ['Jos\u00e9@Example.com', 200],
    ['jos\u00e9@example.com', 200],
    ['JOS\u00c9@EXAMPLE.COM', 200],
    ['jose\u0301@example.com', 200],
    ['jose@example.com', 401],
    ['jos_@example.com', 401],
  ] as const
  for (const [email, status] of rows) {
    const response = await app.inject({ method: 'POST', url: URL, payload: { email, password } })
    t.equal(response.statusCode, status, email)
  }
})

t.test('login refuses what is not credentials', async (t) => {
  const { app } = await borrowTestApp(t)
  const valid = { email: 'ada@example.com', password: 'correct horse' }
  const rows = [
    { body: {}, pointers: ['/body/email', '/body/password'] },
    { body: { ...valid, email: null }, pointers: ['/body/email'] },
    { body: { ...valid, email: ['ada@example.com'] }, pointers: ['/body/email'] },
    { body: { ...valid, email: { $ne: '' } }, pointers: ['/body/email'] },
    { body: { ...valid, email: "' OR 1=1 --" }, pointers: ['/body/email'] },
    { body: { ...valid, password: 12345678 }, pointers: ['/body/password'] },
    { body: { ...valid, password: true }, pointers: ['/body/password'] },
    { body: { ...valid, username: 'ada' }, pointers: ['/body/username'] },
    { body: [valid], pointers: ['/body'] },
  ]
  for (const { body, pointers } of rows) {
    const response = await app.inject({ method: 'POST', url: URL, payload: body })
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers }, JSON.stringify(body))
  }
  const payload = '{"email":"ada@example.com","password":"correct\\u0000horse"}'
  const headers = { 'content-type': 'application/json' }
  const response = await app.inject({ method: 'POST', url: URL, headers, payload })
  expectProblem(t, response, { status: 400, code: 'invalid_text' })
})

function parse(part: string) {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}
