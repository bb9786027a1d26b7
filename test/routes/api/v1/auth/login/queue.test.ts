import { availableParallelism } from 'node:os'
import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const LIMIT = 2
const URL = '/api/v1/auth/login'

t.test('past the queue a login is refused and told when to come back', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t, {
    APP_AUTH__ARGON2__MAX_QUEUE: `${LIMIT}`,
    APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '30',
  })
  const user = await signUp()
  const payload = { email: user.user.email, password: user.password }
  const [logins, others] = await Promise.all([
    Promise.all(Array.from({ length: 30 }, () => app.inject({ method: 'POST', url: URL, payload }))),
    Promise.all(Array.from({ length: 30 }, () => request({ url: '/api/v1/users/me', as: user }))),
  ])
  const refused = logins.filter((response) => response.statusCode === 503)
  const served = logins.filter((response) => response.statusCode === 200)
  t.equal(refused.length + served.length, logins.length)
  t.ok(served.length >= availableParallelism() + LIMIT, 'as many as fit are served')
  t.ok(refused.length > 0)
  for (const response of refused) {
    expectProblem(t, response, { status: 503, code: 'password_queue_full' })
    t.equal(response.headers['retry-after'], '2')
  }
  t.same(new Set(others.map((response) => response.statusCode)), new Set([200]), 'other requests go on')

  const again = await app.inject({ method: 'POST', url: URL, payload })
  t.equal(again.statusCode, 200, 'and so do logins, once there is room')
  const counted = await db.query('SELECT subject FROM login_attempts WHERE failures > 0')
  t.same(counted, [], 'nobody guessed')
})

t.test('past the queue a registration is refused, and leaves nothing', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_AUTH__ARGON2__MAX_QUEUE: '0' })
  const register = (index: number) => {
    const payload = { email: `a${index}@example.com`, username: `user${index}`, password: 'correct horse' }
    return app.inject({ method: 'POST', url: '/api/v1/users', payload })
  }
  const responses = await Promise.all(Array.from({ length: 20 }, (_, index) => register(index)))
  const created = responses.filter((response) => response.statusCode === 201)
  for (const response of responses.filter((each) => each.statusCode !== 201)) {
    expectProblem(t, response, { status: 503, code: 'password_queue_full' })
  }
  t.ok(created.length >= availableParallelism() && created.length < responses.length)
  t.equal((await db.query('SELECT FROM users')).length, created.length)
})
