import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'
import { allMails, nextMail, tokenIn } from '#test/support/mails.ts'

t.test('PUT /api/v1/users/me/password', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t, { APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '5' })
  const url = '/api/v1/users/me/password'
  const NEW_PASSWORD = 'an entirely different sentence'

  const change = (as: TestUser, current_password: string, new_password = NEW_PASSWORD) =>
    request({ method: 'PUT', url, as, payload: { current_password, new_password } })

  const post = (path: string, payload: object) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload })

  const login = ({ user }: TestUser, password: string) => post('login', { email: user.email, password })

  const status = async (authorization: string) =>
    (await app.inject({ url: '/api/v1/users/me', headers: { authorization } })).statusCode

  t.test('a new password ends all other sessions and voids all links', async (t) => {
    const user = await signUp()
    const other = (await login(user, user.password)).json()
    await post('password/forgot', { email: user.user.email })
    const token = tokenIn(await nextMail(app, user.user.email, 'Reset your Groundwork password'))

    const response = await change(user, user.password)
    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    t.equal(await status(user.headers.authorization), 200, 'the session that asked goes on')
    t.equal((await post('refresh', { refresh_token: user.refresh_token })).statusCode, 200)
    t.equal(await status(`Bearer ${other.access_token}`), 401)
    t.equal((await post('refresh', { refresh_token: other.refresh_token })).statusCode, 401)
    t.equal((await post('password/reset', { token, password: user.password })).statusCode, 400)
    t.equal((await login(user, user.password)).statusCode, 401)
    t.equal((await login(user, NEW_PASSWORD)).statusCode, 200)
    t.ok(await nextMail(app, user.user.email, 'Your Groundwork password was changed'))
    t.match(await entriesOf(db, 'users.password_%', user.user.id), [{ action: 'users.password_changed' }])
  })

  t.test('a wrong current password changes nothing and is counted', async (t) => {
    const user = await signUp()
    for (let turn = 0; turn < 5; turn++) {
      const response = await change(user, 'not my password')
      t.equal(response.statusCode, 403)
      t.equal(response.json().code, 'wrong_password')
    }
    for (const password of ['not my password', user.password]) {
      const response = await change(user, password)
      t.equal(response.statusCode, 429)
      t.equal(response.json().code, 'too_many_attempts')
      t.match(response.headers['retry-after'], /^\d+$/)
    }
    t.equal(await status(user.headers.authorization), 200)
    t.same(await allMails(app, db, user.user.email), [])
    t.equal((await login(user, user.password)).statusCode, 200, 'sign-ins count apart')
  })

  t.test('the new password has to be a good one; the session stays whatever is wrong', async (t) => {
    const user = await signUp()
    for (const password of ['short', 'password', `${user.user.username} and more`, 'x'.repeat(129), '']) {
      t.equal((await change(user, user.password, password)).statusCode, 400, password)
    }
    for (const payload of [
      {},
      { current_password: user.password },
      { new_password: NEW_PASSWORD },
      { current_password: 1, new_password: NEW_PASSWORD },
    ]) {
      t.equal((await request({ method: 'PUT', url, as: user, payload })).statusCode, 400)
    }
    t.equal((await login(user, user.password)).statusCode, 200)
    const payload = { current_password: user.password, new_password: NEW_PASSWORD }
    t.equal((await request({ method: 'PUT', url, payload })).statusCode, 401)
  })
})
