import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createTestApp } from '../../../../../helper.ts'
import { expectProblem } from '../../../expect-problem.ts'

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
  t.match(seen[0], { verified: 1, hashed: 0 }, 'one hash is computed, whoever it is')
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
