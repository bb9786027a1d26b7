import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { nextMail, tokenIn } from '#test/support/mails.ts'

const URL = '/api/v1/users/me'

t.test('updateCurrentUser changes what is given and nothing else', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const rows = [
    { changes: { username: 'renamed' } },
    { changes: { username: 'Another.Name' }, email: 'both@example.com' },
  ]
  for (const { changes, email } of rows) {
    const as = await signUp()
    const before = await row(as.user.id)
    const payload = email ? { ...changes, email, current_password: as.password } : changes
    const response = await request({ method: 'PATCH', url: URL, as, payload })
    t.equal(response.statusCode, 200, JSON.stringify(payload))
    const after = await row(as.user.id)
    // An address waits for its confirmation.
    t.same({ ...after, updated_at: null }, { ...before, ...changes, updated_at: null })
    t.ok(Number(after?.['updated_at']) > Number(before?.['updated_at']), 'updated_at grows')
    const updated_at = after?.['updated_at'].toISOString()
    t.match(response.json(), { id: as.user.id, ...changes, email: as.user.email, updated_at })
    const read = await request({ url: URL, as })
    t.same(read.json(), response.json())
    t.equal(read.headers.etag, response.headers.etag)
  }

  async function row(id: string) {
    return (await db.query('SELECT * FROM users WHERE id = $1', [id]))[0]
  }
})

t.test('a new email is asked to confirm, and signs in once it has', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const rows = [
    { email: 'Moved@Example.com', kept: 'Moved@Example.com' },
    { email: 'jose@bu\u0308cher.example', kept: 'jose@xn--bcher-kva.example' },
  ]
  for (const { email, kept } of rows) {
    const as = await signUp()
    const users = await db.query('SELECT * FROM users ORDER BY id')
    const payload = { email, current_password: as.password }
    const response = await request({ method: 'PATCH', url: URL, as, payload })
    t.equal(response.statusCode, 200)
    t.same(response.json(), JSON.parse(JSON.stringify(as.user)), 'nothing has changed')
    t.same(await db.query('SELECT * FROM users ORDER BY id'), users, 'in the database neither')
    t.equal(await login(kept, as.password), 401)

    const token = tokenIn(await nextMail(app, kept))
    const verify = { method: 'POST', url: '/api/v1/auth/email/verify', payload: { token } } as const
    t.equal((await request(verify)).statusCode, 204)
    const read = await request({ url: URL, as })
    t.equal(read.statusCode, 200, 'the token stays')
    const { updated_at } = read.json()
    t.same(read.json(), { ...JSON.parse(JSON.stringify(as.user)), email: kept, updated_at })
    t.equal(await login(kept, as.password), 200)
    t.equal(await login(as.user.email, as.password), 401)
  }

  async function login(email: string, password: string): Promise<number> {
    const payload = { email, password }
    return (await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })).statusCode
  }
})

t.test('a new email needs the current password', async (t) => {
  const { db, request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const email = 'new@example.com'
  const rows = [
    { payload: { email }, status: 400, code: 'current_password_required' },
    { payload: { email, username: 'ok-name' }, status: 400, code: 'current_password_required' },
    { payload: { email, current_password: 'not the password' }, status: 403, code: 'wrong_password' },
    { payload: { email, username: 'ok-name', current_password: 'no' }, status: 403, code: 'wrong_password' },
  ]
  for (const { payload, status, code } of rows) {
    const response = await request({ method: 'PATCH', url: URL, as, payload })
    expectProblem(t, response, { status, code, absent: [email] }, JSON.stringify(payload))
  }
  t.same((await request({ url: URL, as })).json(), JSON.parse(JSON.stringify(as.user)), 'nothing changed')
  t.same(await db.query('SELECT FROM one_time_tokens'), [], 'and nothing is to be confirmed')
})

t.test('updateCurrentUser refuses what one may not change', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const rows = [
    { payload: {}, pointers: ['/body'] },
    { payload: { role: 'admin' }, pointers: ['/body/role'] },
    { payload: { role: 'user', username: 'ok-name' }, pointers: ['/body/role'] },
    { payload: { is_active: false }, pointers: ['/body/is_active'] },
    { payload: { password: 'another password' }, pointers: ['/body/password'] },
    { payload: { password_hash: '$argon2id$' }, pointers: ['/body/password_hash'] },
    { payload: { id: as.user.id }, pointers: ['/body/id'] },
    { payload: { updated_at: '2026-01-01T00:00:00.000Z' }, pointers: ['/body/updated_at'] },
    { payload: { email: null }, pointers: ['/body/email'] },
    { payload: { email: 'none' }, pointers: ['/body/email'] },
    { payload: { username: 'ok-name', email: 'none' }, pointers: ['/body/email'] },
    { payload: { username: 12345 }, pointers: ['/body/username'] },
    { payload: { username: '' }, pointers: ['/body/username'] },
    { payload: { email: 'new@example.com', current_password: '' }, pointers: ['/body/current_password'] },
    { payload: { password_hash: null, username: 'ok-name' }, pointers: ['/body/password_hash'] },
    { payload: [], pointers: ['/body'] },
  ]
  for (const { payload, pointers } of rows) {
    const response = await request({ method: 'PATCH', url: URL, as, payload })
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers }, JSON.stringify(payload))
  }
  const headers = { 'content-type': 'application/json' }
  const text = await request({ method: 'PATCH', url: URL, as, headers, payload: '{"username":"a\\ud800b"}' })
  expectProblem(t, text, { status: 400, code: 'invalid_text' })
  const none = await request({ method: 'PATCH', url: URL, as })
  t.equal(none.statusCode, 400, 'no body at all')
  t.same((await request({ url: URL, as })).json(), JSON.parse(JSON.stringify(as.user)), 'nothing changed')
})

t.test("another's username is taken, one's own is not; whose an email is stays untold", async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  await signUp({ email: 'taken@example.com', username: 'taken' })
  const as = await signUp({ email: 'ada@example.com', username: 'ada' })
  const { password: current_password } = as
  const conflicts = [
    { username: 'Taken' },
    { username: 'Taken', email: 'free@example.com', current_password },
    { username: 'Taken', email: 'taken@example.com', current_password },
  ]
  for (const payload of conflicts) {
    const response = await request({ method: 'PATCH', url: URL, as, payload })
    expectProblem(t, response, { status: 409, code: 'username_taken', absent: ['users_'] })
  }
  const unchanged = JSON.parse(JSON.stringify(as.user))
  for (const email of ['TAKEN@example.com', 'free@example.com', 'ada@example.com']) {
    const response = await request({ method: 'PATCH', url: URL, as, payload: { email, current_password } })
    t.equal(response.statusCode, 200, email)
    t.same(response.json(), unchanged, `${email}: the same answer`)
  }
  t.same((await request({ url: URL, as })).json(), unchanged, 'nothing changed')

  const own = await request({ method: 'PATCH', url: URL, as, payload: { username: 'ADA' } })
  t.equal(own.statusCode, 200)
  t.match(own.json(), { username: 'ADA', email: 'ada@example.com' })
})

t.test('of many who want one name at once, one gets it', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const all = await Promise.all(Array.from({ length: 10 }, () => signUp()))
  const responses = await Promise.all(
    all.map((as) => request({ method: 'PATCH', url: URL, as, payload: { username: 'wanted' } })),
  )
  const statuses = responses.map((response) => response.statusCode).sort()
  t.same(statuses, [200, ...Array<number>(9).fill(409)])
  t.equal((await db.query("SELECT FROM users WHERE username = 'wanted'")).length, 1)
})
