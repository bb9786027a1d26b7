import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Session } from '#schemas/sessions.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'

t.test('own sessions', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const url = '/api/v1/auth/sessions'

  /** Signs a user in again. */
  async function signInAgain(user: TestUser, userAgent: string): Promise<TestUser> {
    const payload = { email: user.user.email, password: user.password }
    const headers = { 'user-agent': userAgent }
    const { access_token, refresh_token } = (
      await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload, headers })
    ).json()
    const { sid } = app.tokens.verify(access_token)
    return { ...user, session_id: sid, refresh_token, headers: { authorization: `Bearer ${access_token}` } }
  }

  const list = async (as: TestUser, path = url): Promise<Session[]> =>
    (await request({ url: path, as })).json().data

  const status = async (as: TestUser) => (await request({ url: '/api/v1/users/me', as })).statusCode

  t.test('the list has the open sessions, newest first, and marks the one that asks', async (t) => {
    const first = await signUp()
    const second = await signInAgain(first, 'Browser/1.0')
    const third = await signInAgain(first, 'Phone/2.0')
    await db.query('UPDATE sessions SET ended_at = now() WHERE id = $1', [first.session_id])
    await signUp()

    const response = await request({ url, as: second })
    t.equal(response.statusCode, 200)
    t.equal(response.json().next_cursor, null)
    t.match(response.json().data, [
      { id: third.session_id, is_current: false, user_agent: 'Phone/2.0', ip: '127.0.0.1' },
      { id: second.session_id, is_current: true, user_agent: 'Browser/1.0', ip: '127.0.0.1' },
    ])
    t.equal(response.json().data.length, 2)
    const keys = [
      ...['id', 'is_current', 'user_agent', 'ip', 'created_at', 'authenticated_at', 'methods'],
      ...['last_used_at', 'expires_at'],
    ]
    t.same(Object.keys(response.json().data[0]), keys)
    t.equal((await request({ url, as: first })).statusCode, 401)
  })

  t.test('a session ends when it was not used for long, or at its last moment', async (t) => {
    const user = await signUp()
    for (const [idle, last] of [
      ['1 hour', '2 hours'],
      ['2 hours', '1 hour'],
    ]) {
      await db.query(
        `UPDATE sessions SET idle_expires_at = date_trunc('second', now()) + $2::interval,
           expires_at = date_trunc('second', now()) + $3::interval WHERE id = $1`,
        [user.session_id, idle, last],
      )
      const [{ ends } = {}] = await db.query<{ ends: Date }>(
        'SELECT least(idle_expires_at, expires_at) AS ends FROM sessions WHERE id = $1',
        [user.session_id],
      )
      t.equal((await list(user))[0]?.expires_at, ends?.toISOString())
      const current = await request({ url: `${url}/current`, as: user })
      t.equal(current.json().expires_at, ends?.toISOString())
    }
  })

  t.test('the list is paged', async (t) => {
    const user = await signUp()
    const ids = [user.session_id]
    for (const name of ['a', 'b', 'c', 'd']) ids.unshift((await signInAgain(user, name)).session_id)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: Record<string, string> = cursor === '' ? { limit: '2' } : { limit: '2', cursor }
      const page = (await request({ url, query, as: user })).json()
      seen.push(...page.data.map(({ id }: Session) => id))
      cursor = page.next_cursor
    }
    t.same(seen, ids)
    for (const query of [{ cursor: 'forged' }, { limit: '0' }, { limit: '101' }, { other: '1' }])
      t.equal((await request({ url, query, as: user })).statusCode, 400, JSON.stringify(query))
  })

  t.test('one session can be ended, and its tokens with it', async (t) => {
    const user = await signUp()
    const other = await signInAgain(user, 'x')
    const response = await request({ method: 'DELETE', url: `${url}/${other.session_id}`, as: user })
    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    t.equal(await status(other), 401)
    const payload = { refresh_token: other.refresh_token }
    t.equal((await request({ method: 'POST', url: '/api/v1/auth/refresh', payload })).statusCode, 401)
    t.equal(await status(user), 200)
    t.same(
      (await list(user)).map(({ id }) => id),
      [user.session_id],
    )
  })

  t.test('what is not an open session of one’s own is not found', async (t) => {
    const [user, stranger] = [await signUp(), await signUp()]
    const ended = await signInAgain(user, 'x')
    await request({ method: 'DELETE', url: `${url}/${ended.session_id}`, as: user })
    const expired = await signInAgain(user, 'y')
    await db.query('UPDATE sessions SET idle_expires_at = now() WHERE id = $1', [expired.session_id])
    for (const id of [randomUUID(), stranger.session_id, ended.session_id, expired.session_id]) {
      const response = await request({ method: 'DELETE', url: `${url}/${id}`, as: user })
      t.equal(response.statusCode, 404)
      t.equal(response.json().code, 'session_not_found')
    }
    t.equal((await request({ method: 'DELETE', url: `${url}/none`, as: user })).statusCode, 400)
    t.equal(await status(stranger), 200)
  })

  t.test('all others can be ended at once', async (t) => {
    const [user, stranger] = [await signUp(), await signUp()]
    const others = [await signInAgain(user, 'x'), await signInAgain(user, 'y')]
    t.equal((await request({ method: 'DELETE', url, as: user })).statusCode, 204)
    for (const other of others) t.equal(await status(other), 401)
    t.equal(await status(user), 200)
    t.equal(await status(stranger), 200)
    t.equal((await request({ method: 'DELETE', url, as: user })).statusCode, 204, 'also when there are none')
  })

  t.test('logging out ends the session that asks, and no other', async (t) => {
    const user = await signUp()
    const other = await signInAgain(user, 'x')
    const response = await request({ method: 'POST', url: '/api/v1/auth/logout', as: other })
    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    t.equal(await status(other), 401)
    t.equal((await request({ method: 'POST', url: '/api/v1/auth/logout', as: other })).statusCode, 401)
    t.equal(await status(user), 200)
  })

  t.test('all of it needs a session', async (t) => {
    const requests = [
      { method: 'POST', url: '/api/v1/auth/logout' },
      { method: 'GET', url },
      { method: 'DELETE', url },
      { method: 'DELETE', url: `${url}/${randomUUID()}` },
    ] as const
    for (const options of requests) t.equal((await request(options)).statusCode, 401)
  })

  t.test('a user agent of any length and kind is kept in part', async (t) => {
    const user = await signUp()
    await signInAgain(user, `${'é'.repeat(2000)}`)
    t.equal((await list(user))[0]?.user_agent?.length, 500)
  })
})
