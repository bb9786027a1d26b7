import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFullFile } from '#test/support/files.ts'
import { createOrganization } from '#test/support/organizations.ts'

const BASE = '/api/v1/operations'
const reason = 'Ticket 4711'

async function start(t: Parameters<typeof borrowTestApp>[0]) {
  const testApp = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { request, signUp } = testApp
  const admin = await signUp({ role: 'admin', email: 'root@example.net', username: 'root.user' })
  const get = async (path: string) => {
    const response = await request({ url: BASE + path, as: admin })
    t.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  const post = (path: string, payload: object) =>
    request({ method: 'POST', url: BASE + path, as: admin, payload })
  const details = async (action: string) =>
    (await get(`/audit-entries?action=${action}`)).data.map((entry: { details: string }) =>
      JSON.parse(entry.details),
    )
  return { ...testApp, admin, get, post, details }
}

t.test('users are found by any part of their address or name', async (t) => {
  const { get, signUp, request, admin } = await start(t)
  const ada = await signUp({ email: 'Ada.Lovelace@Example.com', username: 'countess_of_numbers' })
  await signUp({ email: 'grace@example.org', username: 'hopper%50'.replace('%', '-') })
  const names = async (query: string): Promise<string[]> =>
    (await get(`/users?${query}`)).data.map(({ username }: { username: string }) => username)

  t.strictSame(await names('q=lovelace'), ['countess_of_numbers'])
  t.strictSame(await names('q=LACE%40exam'), ['countess_of_numbers'])
  t.strictSame(await names('q=of_num'), ['countess_of_numbers'])
  t.strictSame(await names('q=ofxnum'), [], 'signs of patterns are plain')
  t.strictSame(await names('q=%25%25%25'), [])
  t.strictSame((await names('q=example')).length, 3)
  t.strictSame(await names('q=gr'), ['hopper-50'], 'two characters stand at the beginning')
  t.strictSame(await names('q=ce'), [])
  t.strictSame(await names(`q=${ada.user.id}`), ['countess_of_numbers'])
  t.strictSame(await names(`q=${ada.user.id.toUpperCase()}`), ['countess_of_numbers'])
  t.strictSame(await names('q=%20%20'), ['hopper-50', 'countess_of_numbers', 'root.user'])
  t.strictSame(await names('q=example&role=admin'), ['root.user'])
  t.strictSame(await names('is_active=false'), [])
  const page = await get('/users?limit=2&q=example')
  t.equal((await get(`/users?limit=2&q=example&cursor=${page.next_cursor}`)).data.length, 1)

  const response = await request({ url: `${BASE}/users/${ada.user.id}`, as: admin })
  t.match(response.json(), { ...ada.user, email_verified_at: /Z$/, has_password: true })
  t.type(response.headers.etag, 'string')
  const unknown = await request({ url: `${BASE}/users/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90`, as: admin })
  expectProblem(t, unknown, { status: 404, code: 'user_not_found' })
})

t.test('an account is closed and opened, with a reason', async (t) => {
  const { admin, details, request, signUp } = await start(t)
  const user = await signUp()
  const url = `${BASE}/users/${user.user.id}`
  const { headers } = await request({ url, as: admin })
  const patch = (payload: object, etag = headers.etag) =>
    request({ method: 'PATCH', url, as: admin, payload, headers: { 'if-match': String(etag) } })
  const closed = await patch({ is_active: false, reason })
  t.match([closed.statusCode, closed.json()], [200, { is_active: false, role: 'user' }])
  t.equal((await request({ url: '/api/v1/users/me', as: user })).statusCode, 401)
  expectProblem(t, await patch({ is_active: true, reason }), { status: 412, code: 'user_changed' })
  t.equal((await patch({ role: 'admin', is_active: true, reason }, closed.headers.etag)).statusCode, 200)
  expectProblem(t, await patch({ reason }), { status: 400, code: 'validation_failed' })
  expectProblem(t, await patch({ email: 'a@b.cd', reason }), { status: 400, code: 'validation_failed' })
  const told = await details('users.updated')
  t.match(told.slice(-2), [
    { changed: ['role', 'is_active'], reason },
    { changed: ['is_active'], reason },
  ])
})

t.test('sessions are listed and ended, with a reason', async (t) => {
  const { get, post, details, request, signUp, admin } = await start(t)
  const user = await signUp()
  const login = { email: user.user.email, password: user.password }
  await request({ method: 'POST', url: '/api/v1/auth/login', payload: login })
  const path = `/users/${user.user.id}/sessions`
  const sessions = (await get(path)).data
  t.equal(sessions.length, 2)
  const one = await post(`${path}/end`, { session_id: user.session_id, reason })
  t.match([one.statusCode, one.json()], [200, { ended: 1 }])
  t.equal((await request({ url: '/api/v1/users/me', as: user })).statusCode, 401)
  const gone = await post(`${path}/end`, { session_id: user.session_id, reason })
  expectProblem(t, gone, { status: 404, code: 'session_not_found' })
  t.match((await post(`${path}/end`, { reason })).json(), { ended: 1 })
  t.match((await post(`${path}/end`, { reason })).json(), { ended: 0 })
  t.strictSame((await get(path)).data, [])
  t.strictSame(await details('sessions.ended'), [{ reason }, { session_id: user.session_id, reason }])
  t.match((await post(`/users/${admin.user.id}/sessions/end`, { reason })).json(), { ended: 0 })
  t.equal((await request({ url: '/api/v1/users/me', as: admin })).statusCode, 200, 'the own one goes on')
})

t.test('a link to set a password is mailed', async (t) => {
  const { get, post, details, signUp, db } = await start(t)
  const { user } = await signUp()
  const sent = await post(`/users/${user.id}/password-reset`, { reason })
  t.equal(sent.statusCode, 202, sent.body)
  const { mail_id } = sent.json()
  t.match(await get(`/mails/${mail_id}`), { to: user.email, template: 'reset-password', can_resend: true })
  t.strictSame(await details('operations.sendUserPasswordReset'), [{ mail_id, reason }])
  await db.query('UPDATE users SET is_active = false WHERE id = $1', [user.id])
  expectProblem(t, await post(`/users/${user.id}/password-reset`, { reason }), {
    status: 409,
    code: 'user_inactive',
  })
})

t.test("a user's organizations and files are listed", async (t) => {
  const { app, get, signUp } = await start(t)
  const tenant = await createOrganization(app)
  const { user } = tenant.owner
  t.match((await get(`/users/${user.id}/organizations`)).data, [
    { id: tenant.organization.id, role: 'owner' },
  ])
  await createFullFile(app, tenant.owner, 'content')
  t.match((await get(`/users/${user.id}/files`)).data, [{ size: 7, status: 'ready' }])
  const { user: stranger } = await signUp()
  t.strictSame((await get(`/users/${stranger.id}/organizations`)).data, [])
  t.strictSame((await get(`/users/${stranger.id}/files`)).data, [])
})
