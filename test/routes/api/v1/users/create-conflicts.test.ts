import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { startInstance } from '#test/support/instances.ts'

const URL = '/api/v1/users'
const PASSWORD = 'correct horse'

t.test('an email or a username is taken whatever its case and normal form', async (t) => {
  const { app, db } = await borrowTestApp(t)
  const rows = [
    { email: 'jose@b\u00fccher.example', username: 'jose' },
    { email: 'Grace@example.com', username: 'x_Y-z.9' },
    { email: 'plain@example.com', username: 'Plain' },
  ]
  for (const names of rows) {
    const response = await app.inject({ method: 'POST', url: URL, payload: { ...names, password: PASSWORD } })
    t.equal(response.statusCode, 201)
  }
  const conflicts = [
    { email: 'jose@b\u00fccher.example', username: 'free', code: 'email_taken' },
    { email: 'jose@bu\u0308cher.example', username: 'free', code: 'email_taken' },
    { email: 'JOSE@BU\u0308CHER.EXAMPLE', username: 'free', code: 'email_taken' },
    { email: 'jose@xn--bcher-kva.example', username: 'free', code: 'email_taken' },
    { email: 'gRACE@Example.com', username: 'free', code: 'email_taken' },
    { email: 'PLAIN@EXAMPLE.COM', username: 'free', code: 'email_taken' },
    { email: 'free@example.com', username: 'JOSE', code: 'username_taken' },
    { email: 'free@example.com', username: 'X_y-Z.9', code: 'username_taken' },
    { email: 'free@example.com', username: 'plain', code: 'username_taken' },
  ]
  for (const { code, ...names } of conflicts) {
    const response = await app.inject({ method: 'POST', url: URL, payload: { ...names, password: PASSWORD } })
    expectProblem(t, response, { status: 409, code, absent: ['users_', names.email] }, JSON.stringify(names))
    t.notHas(response.headers, ['location', 'etag'])
  }
  t.equal((await db.query('SELECT FROM users')).length, rows.length)
})

t.test('what differs by more than case is free', async (t) => {
  const { app } = await borrowTestApp(t)
  const names = [
    { email: 'jose@example.com', username: 'jose' },
    { email: 'jose@b\u00fccher.example', username: 'jose1' },
    { email: 'jose+tag@example.com', username: 'jo.se' },
    { email: 'jo.se@example.com', username: 'jo_se' },
  ]
  for (const payload of names) {
    const response = await app.inject({
      method: 'POST',
      url: URL,
      payload: { ...payload, password: PASSWORD },
    })
    t.equal(response.statusCode, 201, payload.email)
  }
})

t.test('of identical registrations at once on two instances one is made', async (t) => {
  const { app, db } = await borrowTestApp(t)
  const other = await startInstance(t, db)

  const payload = { email: 'ada@example.com', username: 'ada', password: PASSWORD }
  const responses = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? app : other).inject({ method: 'POST', url: URL, payload }),
    ),
  )
  const created = responses.filter((response) => response.statusCode === 201)
  t.equal(created.length, 1)
  for (const response of responses.filter((each) => each.statusCode !== 201)) {
    t.equal(response.statusCode, 409)
    t.match(response.json().code, /^(email|username)_taken$/)
  }
  t.same(await db.query('SELECT id FROM users'), [{ id: created[0]?.json().id }])
})
