import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Role } from '#schemas/users.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance, statementCounts } from '#test/support/instances.ts'

t.test('identity over two instances', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t)
  const other = await startInstance(t, db)
  const admin = await signUp({ role: 'admin' })

  /** How often the database was asked for an identity. */
  const reads = async (instance: FastifyInstance) =>
    (await statementCounts(instance))['selectSessionOwner'] ?? 0

  const me = async (instance: FastifyInstance, { headers }: TestUser) =>
    (await instance.inject({ url: '/api/v1/users/me', headers })).statusCode

  const listUsers = async (instance: FastifyInstance, { headers }: TestUser) =>
    (await instance.inject({ url: '/api/v1/users?limit=1', headers })).statusCode

  /** Asks until the instance has cached the identity, so that the database is not asked any more. */
  async function warm(instance: FastifyInstance, user: TestUser): Promise<void> {
    await eventually(async () => {
      const before = await reads(instance)
      await me(instance, user)
      return (await reads(instance)) === before
    })
  }

  /** Ends the connections that hear of changes, of both instances. */
  const loseChannels = () =>
    db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'groundwork-identity'`,
    )

  t.test('a hundred requests of a session need no query', async (t) => {
    const user = await signUp()
    await warm(app, user)
    // On a busy machine the channel may be silent for so long that it is not believed; then there is another round.
    await eventually(async () => {
      const before = await statementCounts(app)
      for (let turn = 0; turn < 100; turn++) t.equal(await me(app, user), 200)
      const after = await statementCounts(app)
      return ['selectSessionOwner', 'selectUserById'].every((name) => after[name] === before[name])
    })
  })

  type Change = (user: TestUser) => Promise<{ statusCode: number }>

  const CHANGES: Record<string, Change> = {
    logout: (as) => request({ method: 'POST', url: '/api/v1/auth/logout', as }),
    'the end of the session by its owner': (as) =>
      request({ method: 'DELETE', url: `/api/v1/auth/sessions/${as.session_id}`, as }),
    'the end of the session by an admin': ({ user, session_id }) =>
      request({ method: 'DELETE', url: `/api/v1/users/${user.id}/sessions/${session_id}`, as: admin }),
    'the end of all sessions by an admin': ({ user }) =>
      request({ method: 'DELETE', url: `/api/v1/users/${user.id}/sessions`, as: admin }),
    deactivation: ({ user }) =>
      request({ method: 'PATCH', url: `/api/v1/users/${user.id}`, as: admin, payload: { is_active: false } }),
    'deletion by an admin': ({ user }) =>
      request({ method: 'DELETE', url: `/api/v1/users/${user.id}`, as: admin }),
    'deletion by the user': (as) => request({ method: 'DELETE', url: '/api/v1/users/me', as }),
  }

  for (const [name, change] of Object.entries(CHANGES)) {
    t.test(`${name} ends the access token here at once and elsewhere soon`, async (t) => {
      const user = await signUp()
      await Promise.all([warm(app, user), warm(other, user)])
      t.equal(Math.floor((await change(user)).statusCode / 100), 2)
      t.equal(await me(app, user), 401)
      await eventually(async () => (await me(other, user)) === 401)
      t.equal(await me(other, user), 401)
    })
  }

  const setRole = ({ user }: TestUser, role: Role) =>
    request({ method: 'PATCH', url: `/api/v1/users/${user.id}`, as: admin, payload: { role } })

  /** The user with the next pair of tokens. */
  async function refreshed({ refresh_token, ...user }: TestUser): Promise<TestUser> {
    const payload = { refresh_token }
    const response = await request({ method: 'POST', url: '/api/v1/auth/refresh', payload })
    t.equal(response.statusCode, 200)
    const next = response.json()
    const headers = { authorization: `Bearer ${next.access_token}` }
    return { ...user, headers, refresh_token: next.refresh_token }
  }

  t.test('demotion ends the access token here at once and elsewhere soon, not the session', async (t) => {
    const user = await signUp({ role: 'admin' })
    await Promise.all([warm(app, user), warm(other, user)])
    t.equal(await listUsers(other, user), 200)
    t.equal((await setRole(user, 'user')).statusCode, 200)
    t.equal(await me(app, user), 401)
    t.equal(await listUsers(app, user), 401)
    await eventually(async () => (await me(other, user)) === 401)
    t.equal(await listUsers(other, user), 401)

    const next = await refreshed(user)
    for (const instance of [app, other]) {
      t.equal(await me(instance, next), 200, 'the session goes on')
      t.equal(await listUsers(instance, next), 403, 'with the role of today')
      t.equal(await me(instance, user), 401, 'the old token stays refused')
    }
  })

  t.test('promotion leaves the access token as it is', async (t) => {
    const user = await signUp()
    await Promise.all([warm(app, user), warm(other, user)])
    t.equal((await setRole(user, 'admin')).statusCode, 200)
    t.equal(await listUsers(app, user), 200)
    t.equal(await me(other, user), 200)
    await eventually(async () => (await listUsers(other, user)) === 200)
  })

  t.test('a token of a role that an instance has not heard of yet is good', async (t) => {
    const user = await signUp()
    await warm(other, user)
    // As if the notification were late.
    await db.query('ALTER TABLE users DISABLE TRIGGER users_notify_identity')
    t.teardown(() => db.query('ALTER TABLE users ENABLE TRIGGER users_notify_identity'))
    t.equal((await setRole(user, 'admin')).statusCode, 200)
    const next = await refreshed(user)
    t.equal(await me(other, next), 200)
    t.equal(await listUsers(other, next), 200)
  })

  const BY_HAND: Record<string, string> = {
    'a session that is ended': 'UPDATE sessions SET ended_at = now() WHERE user_id = $1',
    'a session that is deleted': 'DELETE FROM sessions WHERE user_id = $1',
    'a user who is deactivated': 'UPDATE users SET is_active = false WHERE id = $1',
    'a user who is deleted': 'DELETE FROM users WHERE id = $1',
    'an admin who is demoted': "UPDATE users SET role = 'user' WHERE id = $1",
  }

  for (const [name, sql] of Object.entries(BY_HAND)) {
    t.test(`${name} by hand, in SQL, is heard of by every instance`, async (t) => {
      const user = await signUp({ role: 'admin' })
      await Promise.all([warm(app, user), warm(other, user)])
      await db.query(sql, [user.user.id])
      for (const instance of [app, other]) {
        await eventually(async () => (await me(instance, user)) === 401)
        t.equal(await me(instance, user), 401)
      }
    })
  }

  t.test('a new name is seen on every instance', async (t) => {
    const user = await signUp()
    await Promise.all([warm(app, user), warm(other, user)])
    const username = `${user.user.username}x`
    await request({ method: 'PATCH', url: '/api/v1/users/me', as: user, payload: { username } })
    const seen = async (instance: FastifyInstance): Promise<string> =>
      (await instance.inject({ url: '/api/v1/users/me', headers: user.headers })).json().username
    t.equal(await seen(app), username)
    await eventually(async () => (await seen(other)) === username)
  })

  t.test('without the channel the database is asked, until it is there again', async (t) => {
    const user = await signUp()
    const ended = await signUp()
    await Promise.all([warm(app, user), warm(app, ended)])
    for (let round = 0; round < 3; round++) {
      await loseChannels()
      // It is noticed, so what was kept is not used.
      await eventually(async () => {
        const before = await reads(app)
        await me(app, user)
        return (await reads(app)) > before
      })
      await warm(app, user)
    }
    // What changes just when nobody listens is not missed.
    await warm(other, ended)
    await Promise.all([
      loseChannels(),
      db.query('UPDATE sessions SET ended_at = now() WHERE id = $1', [ended.session_id]),
    ])
    for (const instance of [app, other]) {
      await eventually(async () => (await me(instance, ended)) === 401)
      await warm(instance, user)
      t.equal(await me(instance, ended), 401)
    }
  })
})
