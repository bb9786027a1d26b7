import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestApp, TestUser } from '#test/support/helper.ts'
import { allMails } from '#test/support/mails.ts'

const FROM_PANEL = { 'sec-fetch-site': 'same-origin', origin: 'http://localhost' }
const URL_OF_SESSION = '/admin/session'

type Request = TestApp['request']

const signIn = (request: Request, { user, password }: TestUser, headers: object = FROM_PANEL) =>
  request({
    method: 'POST',
    url: URL_OF_SESSION,
    headers: { ...headers },
    payload: { email: user.email, password },
  })

const withCookie = (
  request: Request,
  method: 'PUT' | 'DELETE',
  cookie: string,
  headers: object = FROM_PANEL,
) =>
  request({
    method,
    url: URL_OF_SESSION,
    headers: { ...headers, cookie },
    ...(method === 'PUT' ? { payload: {} } : {}),
  })

/** The cookie that a response sets, as the next request has it, and its attributes. */
function cookieOf(response: LightMyRequestResponse): { pair: string; attributes: string[] } {
  const [pair = '', ...attributes] = String(response.headers['set-cookie']).split('; ')
  return { pair, attributes: attributes.sort() }
}

async function openSessions({ db }: TestApp, { user }: TestUser): Promise<number> {
  const rows = await db.query('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [user.id])
  return rows.length
}

t.test('an admin signs in, refreshes and signs out', async (t) => {
  const test = await borrowTestApp(t)
  const { request, signUp } = test
  const admin = await signUp({ role: 'admin' })

  const opened = await signIn(request, admin)
  t.equal(opened.statusCode, 200)
  t.match(opened.json(), { access_token: String, token_type: 'Bearer', expires_in: 900, user: admin.user })
  t.notOk(opened.json().refresh_token, 'which scripts never see')
  const first = cookieOf(opened)
  t.match(first.pair, /^groundwork-admin=[\w-]{43}$/)
  t.strictSame(first.attributes, ['HttpOnly', 'Path=/admin/session', 'SameSite=Strict'])
  const headers = { authorization: `Bearer ${opened.json().access_token}` }
  t.equal((await request({ url: '/api/v1/operations/organizations', headers })).statusCode, 200)

  const renewed = await withCookie(request, 'PUT', first.pair)
  t.equal(renewed.statusCode, 200)
  const second = cookieOf(renewed)
  t.not(second.pair, first.pair, 'a refresh token is used once')
  t.equal(
    cookieOf(await withCookie(request, 'PUT', first.pair)).pair,
    second.pair,
    'two tabs may ask at once',
  )

  t.equal(await openSessions(test, admin), 2)
  const ended = await withCookie(request, 'DELETE', second.pair)
  t.equal(ended.statusCode, 204)
  t.ok(cookieOf(ended).attributes.includes('Max-Age=0'), 'the cookie is deleted')
  t.equal(await openSessions(test, admin), 1, 'the session is ended, and no other')
  t.equal((await request({ url: '/api/v1/users/me', headers })).statusCode, 401)
  const late = await withCookie(request, 'PUT', second.pair)
  expectProblem(t, late, { status: 401, code: 'invalid_refresh_token' })
  t.ok(cookieOf(late).attributes.includes('Max-Age=0'))
  t.equal((await withCookie(request, 'DELETE', second.pair)).statusCode, 204, 'twice is as good')
  t.equal((await withCookie(request, 'PUT', '')).statusCode, 204, 'without a cookie nobody is signed in')
})

t.test('over https the cookie is for https only', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })
  const headers = { ...FROM_PANEL, origin: 'https://admin.example.com' }
  const { pair, attributes } = cookieOf(await signIn(request, admin, headers))
  t.match(pair, /^__Secure-groundwork-admin=/)
  t.ok(attributes.includes('Secure'))
  t.equal((await withCookie(request, 'PUT', pair, headers)).statusCode, 200)
  const plain = pair.replace('__Secure-', '')
  t.equal(
    (await withCookie(request, 'PUT', plain, headers)).statusCode,
    204,
    'one without the prefix is nobody',
  )
})

t.test('behind a path of the public URL the cookie has that path', async (t) => {
  const { request, signUp } = await borrowTestApp(t, {
    APP_SERVER__PUBLIC_URL: 'https://example.com/service',
  })
  const { attributes } = cookieOf(await signIn(request, await signUp({ role: 'admin' })))
  t.ok(attributes.includes('Path=/service/admin/session'))
})

t.test('the session is short, whatever others are', async (t) => {
  const test = await borrowTestApp(t)
  const { request, signUp, db } = test
  const admin = await signUp({ role: 'admin' })
  const seconds = async () => {
    const [row] = await db.query<{ idle: number; absolute: number }>(
      `SELECT extract(epoch FROM idle_expires_at - last_used_at)::int AS idle,
              extract(epoch FROM expires_at - created_at)::int AS absolute
       FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT 1`,
      [admin.user.id],
    )
    return row
  }
  const { pair } = cookieOf(await signIn(request, admin))
  t.strictSame(await seconds(), { idle: 900, absolute: 28_800 })
  await withCookie(request, 'PUT', pair)
  t.strictSame(await seconds(), { idle: 900, absolute: 28_800 }, 'a refresh makes it no longer')
})

t.test('anyone who is not an admin looks like a wrong password', async (t) => {
  const test = await borrowTestApp(t)
  const { app, request, signUp, db } = test
  const user = await signUp()
  const admin = await signUp({ role: 'admin' })
  const refused = await signIn(request, user)
  const wrong = await signIn(request, { ...admin, password: 'not the right one' })
  expectProblem(t, refused, { status: 401, code: 'invalid_credentials' })
  const withoutId = ({ request_id: _, ...rest }: Record<string, unknown>) => rest
  t.strictSame(withoutId(refused.json()), withoutId(wrong.json()))
  t.notOk(refused.headers['set-cookie'])
  t.equal(await openSessions(test, user), 1, 'no session is opened')
  t.strictSame(await allMails(app, db, user.user.email), [], 'and no mail tells of a new device')
  const [counted] = await db.query<{ rows: number }>('SELECT count(*)::int AS rows FROM login_attempts')
  t.equal(counted?.rows, 3, 'both count: for two accounts and one address')
})

t.test('an admin who is made a user is signed out', async (t) => {
  const test = await borrowTestApp(t)
  const { request, signUp, db } = test
  const admin = await signUp({ role: 'admin' })
  const { pair } = cookieOf(await signIn(request, admin))
  await db.query("UPDATE users SET role = 'user' WHERE id = $1", [admin.user.id])
  const response = await withCookie(request, 'PUT', pair)
  expectProblem(t, response, { status: 401, code: 'invalid_refresh_token' })
  t.ok(cookieOf(response).attributes.includes('Max-Age=0'))
})

t.test('only the panel itself is answered', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })
  const { pair } = cookieOf(await signIn(request, admin))
  for (const site of [undefined, 'cross-site', 'same-site', 'none']) {
    const headers = site === undefined ? {} : { 'sec-fetch-site': site }
    await refuses(t, await signIn(request, admin, headers))
    await refuses(t, await withCookie(request, 'PUT', pair, headers))
    await refuses(t, await withCookie(request, 'DELETE', pair, headers))
  }
  const form = await request({
    method: 'POST',
    url: URL_OF_SESSION,
    headers: { ...FROM_PANEL, 'content-type': 'application/x-www-form-urlencoded' },
    payload: `email=${admin.user.email}&password=${admin.password}`,
  })
  expectProblem(t, form, { status: 415, code: 'unsupported_media_type' })
  t.equal((await withCookie(request, 'PUT', pair)).statusCode, 200, 'none of that has ended the session')
  expectProblem(t, await request({ url: URL_OF_SESSION }), { status: 405, code: 'method_not_allowed' })
})

async function refuses(t: Test, response: LightMyRequestResponse): Promise<void> {
  expectProblem(t, response, { status: 403, code: 'not_from_panel' })
  t.notOk(response.headers['set-cookie'])
}
