import t from 'tap'
import type { Session } from '#schemas/sessions.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'

const SETTINGS = { APP_AUTH__SESSION__MAX_PER_USER: '3' }

t.test('sessions beyond auth.session.max_per_user', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t, SETTINGS)

  async function signIn({ user, password }: TestUser): Promise<{ id: string; headers: object }> {
    const payload = { email: user.email, password }
    const response = await request({ method: 'POST', url: '/api/v1/auth/login', payload })
    t.equal(response.statusCode, 200)
    const { access_token } = response.json()
    return {
      id: app.tokens.verify(access_token).sid,
      headers: { authorization: `Bearer ${access_token}` },
    }
  }

  const statusOf = async ({ headers }: { headers: object }) =>
    (await request({ url: '/api/v1/users/me', headers: { ...headers } })).statusCode

  const openIds = async (user: TestUser): Promise<string[]> =>
    (await request({ url: `/api/v1/users/${user.user.id}/sessions`, as: await signUp({ role: 'admin' }) }))
      .json()
      .data.map(({ id }: Session) => id)

  t.test('the one that was used least lately ends, at once and with a reason', async (t) => {
    const user = await signUp()
    const second = await signIn(user)
    const third = await signIn(user)
    await request({
      method: 'POST',
      url: '/api/v1/auth/refresh',
      payload: { refresh_token: user.refresh_token },
    })
    // It is kept in memory when it ends.
    t.equal(await statusOf(second), 200)
    const fourth = await signIn(user)
    t.equal(await statusOf(second), 401)
    t.same(await openIds(user), [fourth.id, third.id, user.session_id])
    const entries = await entriesOf(db, 'sessions.ended', user.user.id)
    t.match(entries, [
      { actor_id: user.user.id, details: { session_id: second.id, cause: 'too_many_sessions' } },
    ])
    t.equal(entries.length, 1)
  })

  t.test('a number that was lowered holds from the next sign-in on', async (t) => {
    const user = await signUp()
    const roomy = { ...app.ctx, sessions: { ...app.ctx.sessions, maxPerUser: 100 } }
    const opened: string[] = []
    for (let n = 0; n < 5; n++) opened.push((await sessionRecords.open(roomy, user.user)).sessionId)
    t.equal((await openIds(user)).length, 6)
    // Of those that were used at the same time the newest stay.
    await db.query('UPDATE sessions SET last_used_at = now() WHERE user_id = $1', [user.user.id])
    const last = await signIn(user)
    t.same(await openIds(user), [last.id, ...opened.slice(-2).reverse()])
    const [entry] = await entriesOf(db, 'sessions.ended', user.user.id)
    t.strictSame(entry?.details, { cause: 'too_many_sessions' })
  })

  t.test(
    'sessions of others, ended ones and those of admins in the place of the user do not count',
    async (t) => {
      const [user, admin] = [await signUp(), await signUp({ role: 'admin' })]
      const terms = { impersonator: admin.user.id, reason: 'a test', lifetimeMs: 60_000 }
      const acted = await sessionRecords.impersonate(app.ctx, user.user, terms)
      const ended = await signIn(user)
      await request({ method: 'POST', url: '/api/v1/auth/logout', headers: { ...ended.headers } })
      const [second, third] = [await signIn(user), await signIn(user)]
      t.same(new Set(await openIds(user)), new Set([third.id, second.id, acted.sessionId, user.session_id]))
      await signIn(user)
      t.ok((await openIds(user)).includes(acted.sessionId))
      t.same(await openIds(admin), [admin.session_id])
    },
  )

  t.test('of sign-ins at the same time none ends itself', async (t) => {
    const user = await signUp()
    const opened = await Promise.all(Array.from({ length: 6 }, () => signIn(user)))
    const left = await openIds(user)
    t.equal(left.length, 3)
    const ids = new Set(opened.map(({ id }) => id))
    t.ok(
      left.every((id) => ids.has(id)),
      'the newest are left',
    )
  })

  t.test('a sign-in that fails ends none', async (t) => {
    const user = await signUp()
    const [second, third] = [await signIn(user), await signIn(user)]
    const payload = { email: user.user.email, password: 'not the right one' }
    t.equal((await request({ method: 'POST', url: '/api/v1/auth/login', payload })).statusCode, 401)
    t.same(new Set(await openIds(user)), new Set([third.id, second.id, user.session_id]))
  })
})
