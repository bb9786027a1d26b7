import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { holdTransaction, waiting } from '#test/support/locks.ts'

t.test('refreshes at once', async (t) => {
  const test = await createTestApp(t)
  const other = await startInstance(t, test.db)

  function refresh(app: FastifyInstance, refresh_token: string) {
    return app.inject({ method: 'POST', url: '/api/v1/auth/refresh', payload: { refresh_token } })
  }

  t.test(
    'fifty refreshes at once over two instances give one successor, and nobody is logged out',
    async (t) => {
      const instances = [test.app, other]
      const user = await test.signUp()
      const responses = await Promise.all(
        Array.from({ length: 50 }, (_, index) => {
          const [one, two] = instances
          if (!one || !two) throw new Error('there are two')
          return refresh(index % 2 === 0 ? one : two, user.refresh_token)
        }),
      )
      t.same([...new Set(responses.map(({ statusCode }) => statusCode))], [200])
      const successors = new Set(responses.map((response) => response.json().refresh_token))
      t.equal(successors.size, 1)
      t.match(
        await test.db.query(
          'SELECT count(*)::int AS rows, count(replaced_at)::int AS replaced FROM refresh_tokens',
        ),
        [{ rows: 2, replaced: 1 }],
      )
      t.match(await test.db.query('SELECT ended_at FROM sessions WHERE id = $1', [user.session_id]), [
        { ended_at: null },
      ])
      const [successor = ''] = successors
      for (const app of instances) t.equal((await refresh(app, successor)).statusCode, 200)
      for (const { access_token } of [responses[0]?.json(), responses[49]?.json()]) {
        const headers = { authorization: `Bearer ${access_token}` }
        t.equal((await test.app.inject({ url: '/api/v1/users/me', headers })).statusCode, 200)
      }
    },
  )

  t.test('twenty refreshes of a stolen token at once end the session once', async (t) => {
    const { refresh_token, user } = await test.signUp()
    await refresh(test.app, refresh_token)
    await test.db.query("UPDATE refresh_tokens SET replaced_at = replaced_at - interval '1 minute'")
    const responses = await Promise.all(Array.from({ length: 20 }, () => refresh(test.app, refresh_token)))
    t.same([...new Set(responses.map(({ statusCode }) => statusCode))], [401])
    t.match(await entriesOf(test.db, 'sessions.ended', user.id), [
      { details: { cause: 'refresh_token_reused' } },
    ])
  })

  /** Requests that end a session, on the instance that does not refresh it. */
  const ENDINGS: Record<string, (app: FastifyInstance, user: TestUser, admin: TestUser) => Promise<number>> =
    {
      logout: async (app, { headers }) =>
        (await app.inject({ method: 'POST', url: '/api/v1/auth/logout', headers })).statusCode,
      deactivation: async (app, { user }, { headers }) => {
        const payload = { is_active: false }
        return (await app.inject({ method: 'PATCH', url: `/api/v1/users/${user.id}`, headers, payload }))
          .statusCode
      },
      deletion: async (app, { headers }) =>
        (await app.inject({ method: 'DELETE', url: '/api/v1/users/me', headers })).statusCode,
      'the end of all sessions by an admin': async (app, { user }, { headers }) => {
        const url = `/api/v1/users/${user.id}/sessions`
        return (await app.inject({ method: 'DELETE', url, headers })).statusCode
      },
    }

  type Asserts = Pick<typeof t, 'equal'>

  /** Nothing that the user ever got opens anything. */
  async function assertDead(
    t: Asserts,
    user: TestUser,
    pair: { access_token?: string; refresh_token?: string },
  ): Promise<void> {
    const open = await test.db.query('SELECT FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [
      user.user.id,
    ])
    t.equal(open.length, 0, 'no session is open')
    for (const token of [user.refresh_token, pair.refresh_token ?? ''].filter((token) => token !== '')) {
      t.equal((await refresh(test.app, token)).statusCode, 401)
    }
    const headers = {
      authorization: pair.access_token ? `Bearer ${pair.access_token}` : user.headers.authorization,
    }
    t.equal((await test.app.inject({ url: '/api/v1/users/me', headers })).statusCode, 401)
  }

  for (const [name, end] of Object.entries(ENDINGS)) {
    t.test(`a refresh that waits for ${name} loses`, async (t) => {
      const [user, admin] = [await test.signUp(), await test.signUp({ role: 'admin' })]
      // Both wait for the session; whichever comes first, the session is ended afterwards.
      const held = await holdTransaction(t, test.db, 'SELECT FROM sessions WHERE id = $1 FOR UPDATE', [
        user.session_id,
      ])
      const ending = end(test.app, user, admin)
      await waiting(test.db, 1, { rows: true })
      const refreshing = refresh(test.app, user.refresh_token)
      await waiting(test.db, 2, { rows: true })
      await held.commit()
      t.equal(Math.floor((await ending) / 100), 2)
      const response = await refreshing
      t.equal(response.statusCode, 401)
      await assertDead(t, user, {})
    })

    t.test(`a refresh that is first is undone by ${name}`, async (t) => {
      const [user, admin] = [await test.signUp(), await test.signUp({ role: 'admin' })]
      const held = await holdTransaction(t, test.db, 'SELECT FROM sessions WHERE id = $1 FOR UPDATE', [
        user.session_id,
      ])
      const refreshing = refresh(test.app, user.refresh_token)
      await waiting(test.db, 1, { rows: true })
      const ending = end(test.app, user, admin)
      await waiting(test.db, 2, { rows: true })
      await held.commit()
      t.equal(Math.floor((await ending) / 100), 2)
      await assertDead(t, user, (await refreshing).json())
    })

    t.test(`a storm of refreshes and ${name} leaves nothing open`, async (t) => {
      const [user, admin] = [await test.signUp(), await test.signUp({ role: 'admin' })]
      const storm = Array.from({ length: 10 }, () => refresh(other, user.refresh_token))
      const [status, ...responses] = await Promise.all([end(test.app, user, admin), ...storm])
      t.equal(Math.floor(status / 100), 2)
      const pairs = responses.filter(({ statusCode }) => statusCode === 200)
      t.same(
        responses.filter(({ statusCode }) => statusCode !== 200 && statusCode !== 401),
        [],
      )
      await assertDead(t, user, pairs[0]?.json() ?? {})
    })
  }

  t.test('a refresh whose database connection is lost uses nothing up', async (t) => {
    const user = await test.signUp()
    const held = await holdTransaction(t, test.db, 'SELECT FROM sessions WHERE id = $1 FOR UPDATE', [
      user.session_id,
    ])
    const refreshing = refresh(test.app, user.refresh_token)
    await waiting(test.db, 1, { rows: true })
    await test.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    const response = await refreshing
    t.equal(response.statusCode, 503)
    t.equal(response.json().code, 'database_unavailable')
    await held.rollback()
    t.same(
      await test.db.query('SELECT replaced_at FROM refresh_tokens WHERE session_id = $1', [user.session_id]),
      [{ replaced_at: null }],
    )
    t.equal((await refresh(test.app, user.refresh_token)).statusCode, 200)
  })
})
