import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const URL = '/api/v1/users/me'

t.test('deleteCurrentUser: the account is gone, its token dead, its names free', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const other = await signUp()
  const names = { email: 'ada@example.com', username: 'ada' }
  const as = await signUp(names)
  t.equal((await request({ url: URL, as })).statusCode, 200)

  const response = await request({ method: 'DELETE', url: URL, as })
  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.same(await db.query('SELECT id FROM users'), [{ id: other.user.id }], 'nobody else')

  for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
    const payload = method === 'PATCH' ? { payload: { username: 'ghost' } } : {}
    const after = await request({ method, url: URL, as, ...payload })
    expectProblem(t, after, { status: 401, code: 'unauthenticated' }, `${method} afterwards`)
  }
  const login = await app.inject({
    method: 'POST',
    url: '/api/v1/auth/login',
    payload: { email: names.email, password: as.password },
  })
  expectProblem(t, login, { status: 401, code: 'invalid_credentials' })

  const again = await app.inject({
    method: 'POST',
    url: '/api/v1/users',
    payload: { ...names, password: as.password },
  })
  t.equal(again.statusCode, 201)
  t.not(again.json().id, as.user.id)
  expectProblem(t, await request({ url: URL, as }), { status: 401, code: 'unauthenticated' }, 'the old token')
})

t.test('an account is deleted once, however many ask', async (t) => {
  const { db, request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const responses = await Promise.all(
    Array.from({ length: 10 }, () => request({ method: 'DELETE', url: URL, as })),
  )
  t.equal(responses.filter((response) => response.statusCode === 204).length, 1)
  for (const response of responses.filter((each) => each.statusCode !== 204)) {
    t.match(response.json().code, /^(user_not_found|unauthenticated)$/)
  }
  t.same(await db.query('SELECT FROM users'), [])
})

t.test('a body is not asked for, and one that comes is not looked at', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const headers = { 'content-type': 'application/json' }
  t.equal((await request({ method: 'DELETE', url: URL, as, headers })).statusCode, 204)
})

t.test('it needs a recent sign-in, which a refresh is not', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  await signUp({ role: 'admin' })
  const as = await signUp({ role: 'admin' })
  await db.query(`UPDATE sessions SET authenticated_at = now() - interval '301 seconds' WHERE user_id = $1`, [
    as.user.id,
  ])
  const refreshed = await request({
    method: 'POST',
    url: '/api/v1/auth/refresh',
    payload: { refresh_token: as.refresh_token },
  })
  const headers = { authorization: `Bearer ${refreshed.json().access_token}` }
  for (const url of [URL, `/api/v1/users/${as.user.id}`]) {
    const response = await request({ method: 'DELETE', url, headers })
    expectProblem(t, response, { status: 401, code: 'reauthentication_required' })
    t.match(response.headers['www-authenticate'], 'error="insufficient_user_authentication"')
    t.match(response.headers['www-authenticate'], 'max_age="300"')
  }
  t.equal((await request({ url: URL, headers })).statusCode, 200, 'the session goes on')

  const payload = { email: as.user.email, password: as.password }
  const login = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })
  const fresh = { authorization: `Bearer ${login.json().access_token}` }
  t.equal((await request({ method: 'DELETE', url: URL, headers: fresh })).statusCode, 204)
})
