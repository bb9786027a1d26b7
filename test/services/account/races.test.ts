import { randomUUID } from 'node:crypto'
import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'
import { holdTransaction, waiting } from '#test/support/locks.ts'
import { allMails, jobsDone, nextMail, tokenIn } from '#test/support/mails.ts'

t.test('races of account mails', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t, { APP_AUTH__REGISTRATION: 'verify' })

  const NEW_PASSWORD = 'an entirely different sentence'

  const post = (path: string, payload: object) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload })

  const hashOf = async ({ user }: TestUser) =>
    (await db.query('SELECT password_hash FROM users WHERE id = $1', [user.id]))[0]?.['password_hash']

  const sessionsOf = ({ user }: TestUser) =>
    db.query('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [user.id])

  /** A concurrent change of the account, from its first statement until it commits. */
  async function holdNewPassword(t: Parameters<typeof holdTransaction>[0], { user }: TestUser) {
    const hash = await app.ctx.passwords.hash(NEW_PASSWORD)
    const held = await holdTransaction(t, db, 'UPDATE users SET password_hash = $2 WHERE id = $1', [
      user.id,
      hash,
    ])
    return { hash, ...held }
  }

  async function resetToken({ user }: TestUser): Promise<string> {
    await post('password/forgot', { email: user.email })
    return tokenIn(await nextMail(app, user.email))
  }

  t.test('a login whose password is replaced while it is checked opens no session', async (t) => {
    const user = await signUp()
    const held = await holdNewPassword(t, user)
    const login = post('login', { email: user.user.email, password: user.password })
    await waiting(db, 1)
    await held.commit()
    const response = await login
    t.equal(response.statusCode, 401)
    t.equal(response.json().code, 'invalid_credentials')
    t.same(await sessionsOf(user), [{ id: user.session_id }])
  })

  t.test('a login whose hash is renewed by another meanwhile succeeds', async (t) => {
    const user = await signUp()
    const hash = await app.ctx.passwords.hash(user.password)
    const held = await holdTransaction(t, db, 'UPDATE users SET password_hash = $2 WHERE id = $1', [
      user.user.id,
      hash,
    ])
    const login = post('login', { email: user.user.email, password: user.password })
    await waiting(db, 1)
    await held.commit()
    t.equal((await login).statusCode, 200)
  })

  t.test('a login of a user who is deactivated meanwhile opens no session', async (t) => {
    const user = await signUp()
    const held = await holdTransaction(t, db, 'UPDATE users SET is_active = false WHERE id = $1', [
      user.user.id,
    ])
    const login = post('login', { email: user.user.email, password: user.password })
    await waiting(db, 1)
    await held.commit()
    t.equal((await login).statusCode, 401)
    t.same(await sessionsOf(user), [{ id: user.session_id }])
  })

  t.test('a change of password cannot undo a reset that came in between', async (t) => {
    const user = await signUp()
    const held = await holdNewPassword(t, user)
    const change = request({
      method: 'PUT',
      url: '/api/v1/users/me/password',
      as: user,
      payload: { current_password: user.password, new_password: 'what the thief would like' },
    })
    await waiting(db, 1)
    await held.commit()
    const response = await change
    t.equal(response.statusCode, 403)
    t.equal(response.json().code, 'wrong_password')
    t.equal(await hashOf(user), held.hash)
  })

  t.test('a proof by a password that is replaced meanwhile does not count', async (t) => {
    const user = await signUp()
    const provedAt = () => db.query('SELECT authenticated_at FROM sessions WHERE id = $1', [user.session_id])
    const before = await provedAt()
    const held = await holdNewPassword(t, user)
    const url = '/api/v1/auth/reauthenticate'
    const proof = request({ method: 'POST', url, as: user, payload: { password: user.password } })
    await waiting(db, 1)
    await held.commit()
    t.equal((await proof).json().code, 'wrong_password')
    t.same(await provedAt(), before)
  })

  t.test('a change of address that began before a reset asks for nothing after it', async (t) => {
    const user = await signUp()
    const held = await holdNewPassword(t, user)
    const change = request({
      method: 'PATCH',
      url: '/api/v1/users/me',
      as: user,
      payload: { current_password: user.password, email: `${randomUUID()}@example.com` },
    })
    await waiting(db, 1)
    await held.commit()
    t.equal((await change).statusCode, 403)
    t.same(await db.query('SELECT FROM one_time_tokens WHERE user_id = $1', [user.user.id]), [])
  })

  t.test('a reset of a user who is deactivated meanwhile sets nothing', async (t) => {
    const user = await signUp()
    const token = await resetToken(user)
    const before = await hashOf(user)
    const held = await holdTransaction(t, db, 'UPDATE users SET is_active = false WHERE id = $1', [
      user.user.id,
    ])
    const reset = post('password/reset', { token, password: NEW_PASSWORD })
    await waiting(db, 1)
    await held.commit()
    t.equal((await reset).json().code, 'invalid_one_time_token')
    t.equal(await hashOf(user), before)
  })

  t.test('two links of one user at once don’t wait for each other in a circle', async (t) => {
    const user = await signUp()
    const first = await resetToken(user)
    const email = `${randomUUID()}@example.com`
    const payload = { email, current_password: user.password }
    t.equal((await request({ method: 'PATCH', url: '/api/v1/users/me', as: user, payload })).statusCode, 200)
    const second = tokenIn(await nextMail(app, email))
    // Both are on their way when the user's row becomes free.
    const held = await holdTransaction(t, db, 'SELECT FROM users WHERE id = $1 FOR UPDATE', [user.user.id])
    const reset = post('password/reset', { token: first, password: NEW_PASSWORD })
    await waiting(db, 1)
    const verify = post('email/verify', { token: second })
    await waiting(db, 2)
    await held.commit()
    const statuses = [(await reset).statusCode, (await verify).statusCode].sort()
    t.same(statuses, [204, 400], 'the first voids the other')
  })

  t.test('two registrations of one address, confirmed at once, make one account', async (t) => {
    const email = `${randomUUID()}@example.com`
    const tokens: string[] = []
    for (const username of [`a${randomUUID().slice(0, 8)}`, `b${randomUUID().slice(0, 8)}`]) {
      const payload = { email, username, password: NEW_PASSWORD }
      t.equal((await app.inject({ method: 'POST', url: '/api/v1/users', payload })).statusCode, 202)
      tokens.push(tokenIn(await nextMail(app, email)))
    }
    // Keeps the address from both until they are on their way.
    const held = await holdTransaction(
      t,
      db,
      'INSERT INTO users (id, email, username) VALUES (gen_random_uuid(), $1, $2)',
      [email, `c${randomUUID().slice(0, 8)}`],
    )
    const verifications = tokens.map((token) => post('email/verify', { token }))
    await waiting(db, 2)
    await held.rollback()
    const statuses = (await Promise.all(verifications)).map(({ statusCode }) => statusCode).sort()
    t.same(statuses, [204, 400])
    t.equal((await db.query('SELECT FROM users WHERE email = $1', [email])).length, 1)
    t.same(await db.query('SELECT FROM registrations WHERE email = $1', [email]), [])
  })

  t.test('logins, refreshes, changes, resets and deletions of one user at once never deadlock', async (t) => {
    for (let round = 0; round < 3; round++) {
      const user = await signUp()
      const token = await resetToken(user)
      const login = () => post('login', { email: user.user.email, password: user.password })
      const change = (payload: object) =>
        request({ method: 'PUT', url: '/api/v1/users/me/password', as: user, payload })
      const responses = await Promise.all([
        ...Array.from({ length: 4 }, login),
        ...Array.from({ length: 4 }, () => post('refresh', { refresh_token: user.refresh_token })),
        post('password/reset', { token, password: NEW_PASSWORD }),
        change({ current_password: user.password, new_password: 'one more sentence of mine' }),
        post('password/forgot', { email: user.user.email }),
        request({ method: 'DELETE', url: '/api/v1/auth/sessions', as: user }),
        request({ method: 'GET', url: '/api/v1/auth/sessions', as: user }),
        ...(round === 2 ? [request({ method: 'DELETE', url: '/api/v1/users/me', as: user })] : []),
      ])
      t.same(
        responses.filter(({ statusCode }) => statusCode >= 500).map((response) => response.json()),
        [],
      )
      await jobsDone(db)
    }
  })

  t.test('fifty resets at once by one link: one sets its password', async (t) => {
    const user = await signUp()
    const token = await resetToken(user)
    const passwords = Array.from({ length: 50 }, (_, index) => `${NEW_PASSWORD} number ${index}`)
    const responses = await Promise.all(
      passwords.map((password) => post('password/reset', { token, password })),
    )
    const winner = responses.findIndex(({ statusCode }) => statusCode === 204)
    t.equal(responses.filter(({ statusCode }) => statusCode === 204).length, 1)
    const rest = responses
      .filter(({ statusCode }) => statusCode !== 204)
      .map((response) => response.json().code)
    t.same(rest, Array(49).fill('invalid_one_time_token'))
    const login = await post('login', { email: user.user.email, password: passwords[winner] ?? '' })
    t.equal(login.statusCode, 200)
    const subjects = (await allMails(app, db, user.user.email)).map(({ subject }) => subject)
    t.equal(subjects.filter((subject) => /password was changed/.test(subject)).length, 1)
  })
})
