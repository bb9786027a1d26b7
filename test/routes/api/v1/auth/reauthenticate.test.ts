import Fastify, { type FastifyContextConfig } from 'fastify'
import t from 'tap'
import { maxAgeSeconds } from '#plugins/api/authentication/step-up.ts'
import hooks from '#routes/api/autohooks.ts'
import { entriesOf } from '#test/support/audit.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'

const URL = '/api/v1/auth/reauthenticate'

t.test('reauthenticate', async (t) => {
  const { app, db, request, signUp, logLines } = await createTestApp(t)
  const other = await startInstance(t, db)

  /** Lets a user's sign-in be too long ago for everything that asks for a recent one. */
  const age = ({ session_id }: TestUser) =>
    db.query(`UPDATE sessions SET authenticated_at = now() - interval '1 day' WHERE id = $1`, [session_id])

  /** An admin whose sign-in was long ago. */
  async function oldAdmin(): Promise<TestUser> {
    const admin = await signUp({ role: 'admin' })
    await age(admin)
    return admin
  }

  const prove = (as: TestUser, password = as.password) =>
    request({ method: 'POST', url: URL, as, payload: { password } })

  /** The status of changing somebody else, which needs a recent proof. */
  async function change({ headers }: TestUser, instance = app): Promise<number> {
    const { user } = await signUp()
    const url = `/api/v1/users/${user.id}`
    return (await instance.inject({ method: 'PATCH', url, headers, payload: { role: 'user' } })).statusCode
  }

  const sessionOf = async ({ session_id }: TestUser) =>
    (
      await db.query(
        `SELECT authenticated_at > now() - interval '1 hour' AS is_recent, methods, created_at, last_used_at,
                expires_at FROM sessions WHERE id = $1`,
        [session_id],
      )
    )[0]

  t.test('the password renews the session, here at once and at other instances soon', async (t) => {
    const admin = await oldAdmin()
    t.equal(await change(admin), 401)
    t.equal(await change(admin, other), 401)
    const before = await sessionOf(admin)
    const response = await prove(admin)
    t.equal(response.statusCode, 200)
    t.same(Object.keys(response.json()), ['authenticated_at', 'methods'])
    t.same(response.json().methods, ['pwd'])
    t.equal(await change(admin), 200, 'with the token that it had')
    await eventually(async () => (await change(admin, other)) === 200)
    t.same(await sessionOf(admin), { ...Object(before), is_recent: true })
    t.match(await entriesOf(db, 'sessions.reauthenticated', admin.session_id), [{ actor_id: admin.user.id }])
    t.notOk(logLines.some((line) => line.includes(admin.password)))
  })

  t.test('an old proof is heard of at every instance, also from memory', async (t) => {
    const admin = await signUp({ role: 'admin' })
    t.equal(await change(admin), 200)
    t.equal(await change(admin, other), 200)
    await age(admin)
    for (const instance of [app, other]) await eventually(async () => (await change(admin, instance)) === 401)
  })

  t.test('only the session that asks is renewed', async (t) => {
    const admin = await oldAdmin()
    const payload = { email: admin.user.email, password: admin.password }
    const login = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })
    t.equal(login.statusCode, 200)
    t.equal(await change(admin), 401)
    t.equal((await prove(admin)).statusCode, 200)
    t.equal(await change(admin), 200)
  })

  t.test('a wrong password changes nothing, and is counted', async (t) => {
    const admin = await oldAdmin()
    for (let turn = 0; turn < 10; turn++) {
      expectProblem(t, await prove(admin, 'wrong'), {
        status: 403,
        code: 'wrong_password',
        absent: ['wrong"'],
      })
    }
    expectProblem(t, await prove(admin), { status: 429, code: 'too_many_attempts' }, 'the right one too')
    const payload = { email: admin.user.email, password: admin.password }
    const login = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })
    t.equal(login.statusCode, 200, 'who stole a token keeps nobody from signing in')
    const { access_token } = login.json()
    const headers = { authorization: `Bearer ${access_token}` }
    const elsewhere = await app.inject({
      method: 'POST',
      url: URL,
      headers,
      payload: { password: admin.password },
    })
    t.equal(elsewhere.statusCode, 200, 'nor from what needs the password in other sessions')
    t.equal(await change(admin), 401)
    t.match(await sessionOf(admin), { is_recent: false })
  })

  t.test('strangers who guess at the account do not keep its owner from it', async (t) => {
    const admin = await oldAdmin()
    const payload = { email: admin.user.email, password: 'wrong' }
    const login = () => app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })
    for (let turn = 0; turn < 11; turn++) await login()
    t.equal((await login()).statusCode, 429)
    t.equal((await prove(admin)).statusCode, 200)
    t.equal((await login()).statusCode, 429, 'who guesses gains nothing by it')
  })

  t.test('a session of the version before counts from its sign-in', async (t) => {
    const admin = await signUp({ role: 'admin' })
    await db.query('UPDATE sessions SET authenticated_at = NULL WHERE id = $1', [admin.session_id])
    t.equal(await change(admin), 200)
    await db.query(
      `UPDATE sessions SET authenticated_at = NULL, created_at = now() - interval '1 day' WHERE id = $1`,
      [admin.session_id],
    )
    await eventually(async () => (await change(admin)) === 401)
    const list = await request({ url: '/api/v1/auth/sessions', as: admin })
    t.equal(list.json().data[0].authenticated_at, list.json().data[0].created_at)
  })

  t.test("one's own account is changed without it, under whatever spelling of its id", async (t) => {
    const user = await oldAdmin()
    for (const id of [user.user.id, user.user.id.toUpperCase()]) {
      const payload = { username: `name-${id.slice(-8)}` }
      const response = await request({ method: 'PATCH', url: `/api/v1/users/${id}`, as: user, payload })
      t.equal(response.statusCode, 200, response.body)
    }
  })

  t.test('a session that ends meanwhile stays ended', async (t) => {
    const user = await signUp()
    const { verify } = app.ctx.passwords
    app.ctx.passwords.verify = async function (...given) {
      await db.query('UPDATE sessions SET ended_at = now() WHERE id = $1', [user.session_id])
      return verify.apply(this, given)
    }
    t.teardown(() => Reflect.deleteProperty(app.ctx.passwords, 'verify'))
    expectProblem(t, await prove(user), { status: 401, code: 'unauthenticated' })
    t.same(await entriesOf(db, 'sessions.reauthenticated', user.session_id), [])
  })
})

t.test('a public route cannot require it, and the time must be a duration', async (t) => {
  const register = async (config: FastifyContextConfig) => {
    const app = Fastify()
    app.decorate('authenticate', ({ requires }) => {
      if (requires) maxAgeSeconds(requires)
      return (_request, _reply, done) => done()
    })
    await hooks(app, {})
    app.get('/', { config }, async () => 'never')
  }
  await t.rejects(register({ access: 'public', requires: { maxAge: '10m' } }), /is public/)
  for (const maxAge of ['', '0s', '10', '500ms', '1.5m']) {
    await t.rejects(register({ requires: { maxAge } }), /not a duration/, maxAge)
  }
})
