import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'

const URL = '/api/v1/auth/login'

t.test('an unknown email, a wrong password and an inactive account are one and the same', async (t) => {
  const { app, db, signUp } = await createTestApp(t)
  const active = await signUp()
  const inactive = await signUp()
  await db.query('UPDATE users SET is_active = false WHERE id = $1', [inactive.user.id])

  const failures = [
    { name: 'unknown email', email: 'nobody@example.com', password: active.password },
    { name: 'wrong password', email: active.user.email, password: `${active.password}!` },
    { name: 'inactive account', email: inactive.user.email, password: inactive.password },
    { name: 'inactive account, wrong password', email: inactive.user.email, password: 'wrong password' },
  ]
  const seen = []
  for (const { name, ...payload } of failures) {
    const before = await hashes(app)
    const response = await app.inject({ method: 'POST', url: URL, payload })
    const after = await hashes(app)
    expectProblem(t, response, { status: 401, code: 'invalid_credentials', absent: [payload.email] }, name)
    t.equal(response.headers['www-authenticate'], 'Bearer')
    const { request_id, ...body } = response.json()
    const { date, 'x-request-id': id, ...headers } = response.headers
    t.equal(id, request_id)
    seen.push({ body, headers, verified: after.verify - before.verify, hashed: after.hash - before.hash })
  }
  for (const each of seen) t.same(each, seen[0])
  t.match(seen[0], { verified: 1, hashed: 0 }, 'one hash is computed in every case')
})

t.test('a stored hash that cannot be used is a wrong password, and an error for operators', async (t) => {
  const { app, db, logs, logLines, request, signUp } = await createTestApp(t)
  const stored = [
    '$argon2id$none',
    '$argon2id$v=19$m=19456,t=2,p=1$$',
    `$argon2id$v=19$m=4194304,t=4294967295,p=255$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  ]
  const login = async (email: string, password: string) => {
    const before = await hashes(app)
    const { statusCode, headers, body } = await app.inject({
      method: 'POST',
      url: URL,
      payload: { email, password },
    })
    const after = await hashes(app)
    const { date, 'x-request-id': id, ...others } = headers
    const counts = await db.query(
      "SELECT failures FROM login_attempts WHERE subject LIKE 'account:%' ORDER BY expires_at DESC LIMIT 1",
    )
    return {
      statusCode,
      body: body.replace(String(id), ''),
      headers: others,
      counts,
      verified: after.verify - before.verify,
    }
  }
  const other = await signUp()
  const expected = await login(other.user.email, 'a wrong password')
  t.match(expected, { statusCode: 401, verified: 1 })
  for (const password_hash of stored) {
    const { user, password, headers } = await signUp()
    await db.query('UPDATE users SET password_hash = $2 WHERE id = $1', [user.id, password_hash])
    t.same(await login(user.email, password), expected, password_hash)
    const line = { level: 'error', msg: /^a stored password hash is malformed/, user_id: user.id }
    t.match(
      logs()
        .filter(({ msg }) => /stored password hash/.test(String(msg)))
        .at(-1),
      line,
    )
    const confirmed = await request({
      method: 'PUT',
      url: '/api/v1/users/me/password',
      headers,
      payload: { current_password: password, new_password: 'an entirely different sentence' },
    })
    expectProblem(t, confirmed, { status: 403, code: 'wrong_password' }, password_hash)
  }
  for (const line of logLines) t.notMatch(line, 'argon2')
})

t.test('logins are counted by outcome', async (t) => {
  const { app, db, signUp } = await createTestApp(t)
  const { user, password } = await signUp()
  await app.inject({ method: 'POST', url: URL, payload: { email: user.email, password } })
  await app.inject({ method: 'POST', url: URL, payload: { email: user.email, password: 'not the password' } })
  await app.inject({ method: 'POST', url: URL, payload: { email: 'nobody@example.com', password } })
  await app.inject({ method: 'POST', url: URL, payload: { email: 'nobody', password } })
  await db.query('ALTER TABLE users RENAME TO elsewhere')
  const response = await app.inject({ method: 'POST', url: URL, payload: { email: user.email, password } })
  expectProblem(t, response, { status: 503, code: 'database_unavailable' })

  const metric = await app.metrics.getSingleMetric('logins_total')?.get()
  const counts = metric?.values.map(({ labels, value }) => [labels['outcome'], value]) ?? []
  t.same(Object.fromEntries(counts), { success: 1, invalid_credentials: 2, error: 1 })
})

/** How many hashes were computed so far, by operation. */
async function hashes(app: FastifyInstance): Promise<{ hash: number; verify: number }> {
  const text = await app.metrics.getSingleMetricAsString('password_hash_duration_seconds')
  const count = (operation: string) =>
    Number(new RegExp(`_count\\{operation="${operation}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
  return { hash: count('hash'), verify: count('verify') }
}
