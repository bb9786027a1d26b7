import type { InjectOptions } from 'fastify'
import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestApp, TestUser } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'

const ME = '/api/v1/users/me'
const url = (id: string) => `/api/v1/users/${id}`
const ROUNDS = amount({ few: 8, many: 50 })

/** Every way to lose an admin, of itself. */
const WAYS: ((user: TestUser) => InjectOptions)[] = [
  ({ user }) => ({ method: 'PATCH', url: url(user.id), payload: { role: 'user' } }),
  ({ user }) => ({ method: 'PATCH', url: url(user.id), payload: { is_active: false } }),
  ({ user }) => ({ method: 'PATCH', url: url(user.id), payload: { role: 'user', is_active: false } }),
  ({ user }) => ({ method: 'DELETE', url: url(user.id) }),
  ({ user }) => ({ method: 'DELETE', url: url(user.id.toUpperCase()) }),
  ({ user }) => ({ method: 'PATCH', url: url(user.id.toUpperCase()), payload: { role: 'user' } }),
  () => ({ method: 'DELETE', url: ME }),
]

t.test('the last active admin stays', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })
  await signUp()
  const inactive = await signUp({ role: 'admin' })
  const switchOff = { method: 'PATCH', url: url(inactive.user.id), payload: { is_active: false } } as const
  t.equal((await request({ ...switchOff, as: admin })).statusCode, 200, 'while there is another')

  const before = await db.query('SELECT * FROM users ORDER BY id')
  for (const way of WAYS) {
    const response = await request({ ...way(admin), as: admin })
    expectProblem(t, response, { status: 409, code: 'last_admin' }, JSON.stringify(way(admin)))
  }
  t.same(await db.query('SELECT * FROM users ORDER BY id'), before, 'nothing changed')

  const harmless = [{ username: 'renamed' }, { role: 'admin' }, { is_active: true }]
  for (const payload of harmless) {
    const response = await request({ method: 'PATCH', url: url(admin.user.id), as: admin, payload })
    t.equal(response.statusCode, 200, JSON.stringify(payload))
  }
})

t.test('an inactive admin is changed freely, and does not count', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })
  const others = await Promise.all(Array.from({ length: 4 }, () => signUp({ role: 'admin' })))
  await db.query('UPDATE users SET is_active = false WHERE id <> $1', [admin.user.id])
  for (const [index, other] of others.entries()) {
    const way = WAYS[index]?.(other)
    if (way) t.ok((await request({ ...way, as: admin })).statusCode < 300, JSON.stringify(way))
  }
  const response = await request({ method: 'DELETE', url: ME, as: admin })
  expectProblem(t, response, { status: 409, code: 'last_admin' })
})

/** Admins who cannot take over, by what makes one so, and the modes of registration in which that is so. */
const UNABLE: Readonly<Record<string, { sql: string; modes: readonly string[] }>> = {
  inactive: { sql: 'UPDATE users SET is_active = false WHERE id = $1', modes: ['open', 'verify', 'closed'] },
  invited: {
    sql: 'UPDATE users SET password_hash = NULL WHERE id = $1',
    modes: ['open', 'verify', 'closed'],
  },
  unconfirmed: { sql: 'UPDATE users SET email_verified_at = NULL WHERE id = $1', modes: ['verify'] },
}

for (const mode of ['open', 'verify', 'closed']) {
  t.test(`registration ${mode}: only admins who can sign in count as the others`, async (t) => {
    const { request, signUp, db } = await borrowTestApp(t, { APP_AUTH__REGISTRATION: mode })
    for (const [name, { sql, modes }] of Object.entries(UNABLE)) {
      await db.query('DELETE FROM users')
      const [admin, other] = [await signUp({ role: 'admin' }), await signUp({ role: 'admin' })]
      await db.query(sql, [other.user.id])
      for (const way of modes.includes(mode) ? WAYS : WAYS.slice(0, 1)) {
        const response = await request({ ...way(admin), as: admin })
        const said = `${name} ${JSON.stringify(way(admin))}`
        if (!modes.includes(mode)) t.equal(response.statusCode, 200, said)
        else expectProblem(t, response, { status: 409, code: 'last_admin' }, said)
      }
    }
  })
}

t.test('an admin who only has a session left is not to go either', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t, { APP_AUTH__REGISTRATION: 'verify' })
  const admin = await signUp({ role: 'admin' })
  await db.query('UPDATE users SET email_verified_at = NULL')
  const response = await request({ method: 'DELETE', url: ME, as: admin })
  expectProblem(t, response, { status: 409, code: 'last_admin' })
})

t.test('with a second admin, each way is open to the first', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  await signUp({ role: 'admin' })
  for (const way of WAYS) {
    const admin = await signUp({ role: 'admin' })
    t.ok((await request({ ...way(admin), as: admin })).statusCode < 300, JSON.stringify(way(admin)))
  }
})

t.test('two admins that demote each other at once leave one', async (t) => {
  await race(t, (first, second) => [
    { method: 'PATCH', url: url(second.user.id), payload: { role: 'user' }, headers: first.headers },
    { method: 'PATCH', url: url(first.user.id), payload: { is_active: false }, headers: second.headers },
  ])
})

t.test('two admins that delete themselves at once leave one', async (t) => {
  await race(t, (first, second) => [
    { method: 'DELETE', url: ME, headers: first.headers },
    { method: 'DELETE', url: ME, headers: second.headers },
  ])
})

t.test('two admins of whom one leaves and demotes the other at once leave one', async (t) => {
  await race(t, (first, second) => [
    { method: 'DELETE', url: url(first.user.id), headers: first.headers },
    { method: 'PATCH', url: url(second.user.id), payload: { role: 'user' }, headers: first.headers },
  ])
})

/** Sends both requests at once to two instances, again and again with fresh admins. */
async function race(t: Tap, requests: (first: TestUser, second: TestUser) => InjectOptions[]): Promise<void> {
  const { app, db, signUp }: TestApp = await borrowTestApp(t)
  const other = await startInstance(t, db)
  for (let round = 0; round < ROUNDS; round++) {
    await db.query('DELETE FROM users')
    const [first, second] = [await signUp({ role: 'admin' }), await signUp({ role: 'admin' })]
    const [one, two] = requests(first, second)
    const responses = await Promise.all([app.inject({ ...one }), other.inject({ ...two })])
    const statuses = responses.map((response) => response.statusCode)
    t.ok(
      statuses.every((status) => [200, 204, 401, 409].includes(status)),
      `round ${round}: ${statuses}`,
    )
    const admins = await db.query(`SELECT FROM users WHERE role = 'admin' AND is_active`)
    t.equal(admins.length, 1, `round ${round}: one is left`)
  }
}

type Tap = Parameters<typeof borrowTestApp>[0]
