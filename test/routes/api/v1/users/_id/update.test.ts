import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestUser } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'

const url = (id: string) => `/api/v1/users/${id}`

t.test('users may not give themselves a role, nor change whether they are active', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const as = await signUp()
  const before = await db.query('SELECT * FROM users')
  const bodies = [
    { role: 'admin' },
    { role: 'user' },
    { is_active: true },
    { is_active: false },
    { role: 'admin', username: 'sneaky' },
    { is_active: true, email: 'sneaky@example.com' },
    { is_active: true, email: 'sneaky@example.com', current_password: as.password },
    { role: 'admin', email: 'sneaky@example.com', current_password: 'wrong' },
  ]
  for (const payload of bodies) {
    const response = await request({ method: 'PATCH', url: url(as.user.id), as, payload })
    expectProblem(t, response, { status: 403, code: 'forbidden' }, JSON.stringify(payload))
  }
  t.same(await db.query('SELECT * FROM users'), before, 'nothing changed')
  t.same(await db.query('SELECT FROM one_time_tokens'), [], 'and nothing is to be confirmed')
  t.same(await db.query('SELECT FROM login_attempts'), [], 'nor was a password looked at')
})

t.test('an admin changes each field, and only what is given', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })
  const { user } = await signUp()
  let expected = JSON.parse(JSON.stringify(user))
  const bodies = [
    { role: 'admin' },
    { is_active: false },
    { is_active: false },
    { email: 'changed@example.com' },
    { role: 'user', is_active: true, username: 'changed', email: 'Again@Example.com' },
  ]
  for (const payload of bodies) {
    const response = await request({ method: 'PATCH', url: url(user.id), as: admin, payload })
    t.equal(response.statusCode, 200, JSON.stringify(payload))
    expected = { ...expected, ...payload, updated_at: response.json().updated_at }
    t.same(response.json(), expected)
    const read = await request({ url: url(user.id), as: admin })
    t.same(read.json(), expected)
    t.equal(read.headers.etag, response.headers.etag)
  }
  const invalid = [
    { payload: {}, pointers: ['/body'] },
    { payload: { role: 'root' }, pointers: ['/body/role'] },
    { payload: { role: null }, pointers: ['/body/role'] },
    { payload: { is_active: 'false' }, pointers: ['/body/is_active'] },
    { payload: { is_active: 0 }, pointers: ['/body/is_active'] },
    { payload: { password: 'a new password' }, pointers: ['/body/password'] },
    { payload: { id: admin.user.id }, pointers: ['/body/id'] },
  ]
  for (const { payload, pointers } of invalid) {
    const response = await request({ method: 'PATCH', url: url(user.id), as: admin, payload })
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers }, JSON.stringify(payload))
  }
  const conflicts = [
    { payload: { email: admin.user.email.toUpperCase() }, code: 'email_taken' },
    { payload: { username: admin.user.username.toUpperCase() }, code: 'username_taken' },
  ]
  for (const { payload, code } of conflicts) {
    const response = await request({ method: 'PATCH', url: url(user.id), as: admin, payload })
    expectProblem(t, response, { status: 409, code })
  }
  t.same((await request({ url: url(user.id), as: admin })).json(), expected, 'nothing of it came through')
})

t.test('If-Match holds for admins too', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })
  const { user } = await signUp()
  const stale = String((await request({ url: url(user.id), as: admin })).headers.etag)
  const send = (method: 'PATCH' | 'DELETE', tag: string) => {
    const payload = method === 'PATCH' ? { payload: { is_active: false } } : {}
    return request({ method, url: url(user.id), as: admin, headers: { 'if-match': tag }, ...payload })
  }
  const patched = await send('PATCH', stale)
  t.equal(patched.statusCode, 200)
  expectProblem(t, await send('PATCH', stale), { status: 412, code: 'user_changed' })
  expectProblem(t, await send('DELETE', stale), { status: 412, code: 'user_changed' })
  t.equal((await send('DELETE', String(patched.headers.etag))).statusCode, 204)
  expectProblem(t, await send('DELETE', stale), { status: 404, code: 'user_not_found' })
})

t.test('an admin who steps down has to refresh before going on', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  await signUp({ role: 'admin' })
  const as = await signUp({ role: 'admin' })
  const path = url(as.user.id)
  const answer = await request({ method: 'PATCH', url: path, as, payload: { role: 'user' } })
  t.match(answer.json(), { id: as.user.id, role: 'user' }, 'the change itself is answered')
  expectProblem(t, await request({ url: path, as }), { status: 401, code: 'unauthenticated' })

  const payload = { refresh_token: as.refresh_token }
  const next = await request({ method: 'POST', url: '/api/v1/auth/refresh', payload })
  t.match(next.json(), { user: { role: 'user' } })
  const headers = { authorization: `Bearer ${next.json().access_token}` }
  t.equal((await request({ url: path, headers })).statusCode, 200)
  expectProblem(t, await request({ url: '/api/v1/users', headers }), { status: 403, code: 'forbidden' })
})

t.test('what an admin changes holds for live tokens: at once here, soon elsewhere', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const other = await startInstance(t, db)
  const admin = await signUp({ role: 'admin' })
  const me = '/api/v1/users/me'
  const users = '/api/v1/users'
  const steps = [
    { change: { role: 'admin' }, path: users, before: 403, after: 200 },
    // The token is a user's and promised no more, so it goes on.
    { change: { role: 'user' }, path: users, before: 200, after: 403 },
    { change: { is_active: false }, path: me, before: 200, after: 401 },
    // Its sessions are ended; it has to sign in again.
    { change: { is_active: true }, path: me, before: 401, after: 401 },
  ]
  const live = await signUp()
  for (const { change, path, before, after } of steps) await holds(live, path, { change, before, after })
  const login = { email: live.user.email, password: live.password }
  const again = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload: login })
  t.equal(again.statusCode, 200)
  const headers = { authorization: `Bearer ${again.json().access_token}` }
  await holds({ ...live, headers }, me, { change: undefined, before: 200, after: 401 })

  async function holds(
    as: TestUser,
    path: string,
    step: { change: object | undefined; before: number; after: number },
  ) {
    const status = async (instance: FastifyInstance) =>
      (await instance.inject({ url: path, headers: as.headers })).statusCode
    const { change, before, after } = step
    const name = JSON.stringify(change)
    await eventually(async () => (await status(other)) === before)
    t.equal(await status(app), before, `before ${name}`)
    await request(
      change
        ? { method: 'PATCH', url: url(as.user.id), as: admin, payload: change }
        : { method: 'DELETE', url: url(as.user.id), as: admin },
    )
    t.equal(await status(app), after, `after ${name}`)
    await eventually(async () => (await status(other)) === after)
  }
})
