import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'

const url = '/api/v1/auth/refresh'
t.test('POST /api/v1/auth/refresh', async (t) => {
  const test = await borrowTestApp(t, {
    APP_AUTH__SESSION__IDLE_TIMEOUT: '30d',
    APP_AUTH__SESSION__ABSOLUTE_TIMEOUT: '90d',
  })
  const { app, db, signUp } = test

  function refresh(app: FastifyInstance, refresh_token: unknown) {
    return app.inject({ method: 'POST', url, payload: { refresh_token } })
  }

  const REFUSED = {
    statusCode: 401,
    headers: { 'www-authenticate': 'Bearer', 'cache-control': 'no-store' },
  }

  /** Makes a used token older than the grace. */
  async function letGracePass(): Promise<void> {
    await db.query("UPDATE refresh_tokens SET replaced_at = replaced_at - interval '31 seconds'")
  }

  /** Whether the user's access token still opens anything. */
  async function passes(app: FastifyInstance, authorization: string): Promise<boolean> {
    const { statusCode } = await app.inject({ url: '/api/v1/users/me', headers: { authorization } })
    return statusCode === 200
  }

  async function sessionOf({ session_id }: TestUser) {
    const [row] = await db.query<{ ended_at: Date | null; idle_expires_at: Date; expires_at: Date }>(
      'SELECT ended_at, idle_expires_at, expires_at FROM sessions WHERE id = $1',
      [session_id],
    )
    if (row === undefined) throw new Error('there is no such session')
    return row
  }

  t.test('each refresh returns a new pair for the same session', async (t) => {
    const user = await signUp()
    let token = user.refresh_token
    const seen = new Set([token])
    for (let turn = 0; turn < 5; turn++) {
      const response = await refresh(app, token)
      t.equal(response.statusCode, 200)
      t.equal(response.headers['cache-control'], 'no-store')
      const { access_token, refresh_token, ...rest } = response.json()
      t.same(rest, { token_type: 'Bearer', expires_in: 900, user: JSON.parse(JSON.stringify(user.user)) })
      t.ok(await passes(app, `Bearer ${access_token}`))
      t.match(refresh_token, /^[\w-]{43}$/)
      seen.add(refresh_token)
      token = refresh_token
    }
    t.equal(seen.size, 6)
    t.equal((await db.query('SELECT FROM sessions WHERE user_id = $1', [user.user.id])).length, 1)
  })

  t.test('a token that was used just now returns the same successor again', async (t) => {
    const { refresh_token } = await signUp()
    const first = (await refresh(app, refresh_token)).json()
    const again = await refresh(app, refresh_token)
    t.equal(again.statusCode, 200)
    t.equal(again.json().refresh_token, first.refresh_token)
    // Also once the successor was used itself.
    const second = (await refresh(app, first.refresh_token)).json()
    t.equal((await refresh(app, refresh_token)).json().refresh_token, first.refresh_token)
    t.equal((await refresh(app, first.refresh_token)).json().refresh_token, second.refresh_token)
    t.equal((await refresh(app, second.refresh_token)).statusCode, 200)
  })

  for (const generation of [0, 1, 3]) {
    t.test(
      `a token that was used ${generation + 1} refreshes ago is stolen once the grace has passed`,
      async (t) => {
        const user = await signUp()
        const tokens = [user.refresh_token]
        let access = user.headers.authorization
        for (let turn = 0; turn <= generation; turn++) {
          const { access_token, refresh_token } = (await refresh(app, tokens.at(-1))).json()
          tokens.push(refresh_token)
          access = `Bearer ${access_token}`
        }
        t.ok(await passes(app, access))
        await letGracePass()

        const response = await refresh(app, tokens[0])
        t.match(response, REFUSED)
        t.equal(response.json().code, 'invalid_refresh_token')
        t.not((await sessionOf(user)).ended_at, null, 'the session is ended')
        t.notOk(await passes(app, access), 'its access tokens are dead')
        t.notOk(await passes(app, user.headers.authorization))
        for (const token of tokens) t.match(await refresh(app, token), REFUSED)
        t.match(await entriesOf(db, 'sessions.ended', user.user.id), [
          {
            actor_id: null,
            details: { session_id: user.session_id, cause: 'refresh_token_reused' },
            ip: '127.0.0.1',
          },
        ])
        const warnings = test
          .logs()
          .filter(({ level, user_id }) => level === 'warn' && user_id === user.user.id)
        t.match(warnings, [{ sid: user.session_id, user_id: user.user.id }])
        t.equal(warnings.length, 1)
      },
    )
  }

  t.test("a stolen token leaves the user's other sessions alone", async (t) => {
    const user = await signUp()
    const login = { email: user.user.email, password: user.password }
    const other = (await test.request({ method: 'POST', url: '/api/v1/auth/login', payload: login })).json()
    await refresh(app, user.refresh_token)
    await letGracePass()
    t.match(await refresh(app, user.refresh_token), REFUSED)
    t.ok(await passes(app, `Bearer ${other.access_token}`))
    t.equal((await refresh(app, other.refresh_token)).statusCode, 200)
  })

  t.test('a refresh token that is not ours is refused', async (t) => {
    const { refresh_token, headers } = await signUp()
    const texts = [
      'x',
      randomBytes(32).toString('base64url'),
      `${refresh_token}=`,
      ` ${refresh_token}`,
      refresh_token.slice(0, -1),
      refresh_token.toLowerCase(),
      headers.authorization.slice('Bearer '.length).slice(0, 512),
      'ä🙂'.repeat(100),
    ]
    for (const text of texts) {
      const response = await refresh(app, text)
      t.match(response, REFUSED)
      t.equal(response.json().code, 'invalid_refresh_token')
    }
    for (const value of [
      '',
      'x'.repeat(513),
      null,
      5,
      true,
      {},
      [refresh_token],
      'a\u0000b',
      '\ud800',
      undefined,
    ])
      t.equal((await refresh(app, value)).statusCode, 400, JSON.stringify(value))
    const huge = await refresh(app, 'x'.repeat(300_000))
    t.equal(huge.statusCode, 413)
    const extra = { refresh_token, user_id: 'x' }
    t.equal((await app.inject({ method: 'POST', url, payload: extra })).statusCode, 400)
    t.equal((await refresh(app, refresh_token)).statusCode, 200, 'none of it used the token up')
  })

  t.test('an unused session expires, and a used one at its absolute end', async (t) => {
    const before = await entriesOf(db, 'sessions.ended')
    const day = 24 * 60 * 60 * 1000

    await t.test('idle', async (t) => {
      const user = await signUp()
      await db.query("UPDATE sessions SET idle_expires_at = now() + interval '1 hour' WHERE id = $1", [
        user.session_id,
      ])
      const { refresh_token } = (await refresh(app, user.refresh_token)).json()
      const { idle_expires_at } = await sessionOf(user)
      t.ok(
        Math.abs(idle_expires_at.getTime() - Date.now() - 30 * day) < day,
        'a refresh extends the idle life',
      )
      await db.query('UPDATE sessions SET idle_expires_at = now() WHERE id = $1', [user.session_id])
      t.match(await refresh(app, refresh_token), REFUSED)
      t.match(await refresh(app, user.refresh_token), REFUSED, 'nor does the grace help')
    })

    await t.test('absolute', async (t) => {
      const user = await signUp()
      await db.query("UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = $1", [
        user.session_id,
      ])
      const early = await sessionOf(user)
      const { refresh_token, access_token } = (await refresh(app, user.refresh_token)).json()
      const after = await sessionOf(user)
      t.same(after.expires_at, early.expires_at, 'no refresh extends the absolute life')
      t.ok(after.idle_expires_at > after.expires_at)
      const headers = { authorization: `Bearer ${access_token}` }
      const list = await app.inject({ url: '/api/v1/auth/sessions', headers })
      t.equal(list.json().data[0].expires_at, early.expires_at.toISOString())
      await db.query('UPDATE sessions SET expires_at = now() WHERE id = $1', [user.session_id])
      t.match(await refresh(app, refresh_token), REFUSED)
    })

    t.same(await entriesOf(db, 'sessions.ended'), before, 'an expired session is not a theft')
  })

  t.test('an access token ends with its session, though it would live longer', async (t) => {
    const user = await signUp()
    await db.query("UPDATE sessions SET expires_at = clock_timestamp() - interval '1 s'")
    t.notOk(await passes(app, user.headers.authorization))
  })

  t.test('an inactive or deleted user gets no new pair', async (t) => {
    const inactive = await signUp()
    await db.query('UPDATE users SET is_active = false WHERE id = $1', [inactive.user.id])
    t.match(await refresh(app, inactive.refresh_token), REFUSED)
    const deleted = await signUp()
    await db.query('DELETE FROM users WHERE id = $1', [deleted.user.id])
    t.match(await refresh(app, deleted.refresh_token), REFUSED)
    const left = await db.query('SELECT FROM refresh_tokens WHERE session_id = $1', [deleted.session_id])
    t.same(left, [], 'nothing is left of the deleted one')
  })

  t.test('the new pair has the role of today', async (t) => {
    const user = await signUp()
    await db.query("UPDATE users SET role = 'admin' WHERE id = $1", [user.user.id])
    t.equal((await refresh(app, user.refresh_token)).json().user.role, 'admin')
  })
})
