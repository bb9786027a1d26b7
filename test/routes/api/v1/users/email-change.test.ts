import { randomUUID } from 'node:crypto'
import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'
import { allMails, nextMail, tokenIn } from '#test/support/mails.ts'

t.test('a new email address', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t, { APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '5' })
  const admin = await signUp({ role: 'admin' })

  const newAddress = () => `${randomUUID()}@example.com`

  const patch = (as: TestUser, payload: object, headers: Record<string, string> = {}) =>
    request({ method: 'PATCH', url: '/api/v1/users/me', as, payload, headers })

  const post = (path: string, payload: object) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload })

  const emailOf = async ({ user }: TestUser): Promise<string> =>
    (await db.query('SELECT email FROM users WHERE id = $1', [user.id]))[0]?.['email']

  t.test('a new address takes effect when it is confirmed, and the old one is told', async (t) => {
    const user = await signUp()
    const email = newAddress()
    const response = await patch(user, { email, current_password: user.password })
    t.equal(response.statusCode, 200)
    t.equal(response.json().email, user.user.email, 'nothing has changed yet')
    t.equal(await emailOf(user), user.user.email)
    const mail = await nextMail(app, email)
    t.equal(mail.subject, 'Confirm your new email address for Groundwork')
    const token = tokenIn(mail)
    t.match(mail.text, `/account/confirm-email#token=${token}`)

    await post('password/forgot', { email: user.user.email })
    const reset = tokenIn(await nextMail(app, user.user.email))
    t.equal((await post('password/reset', { token, password: 'another sentence of mine' })).statusCode, 400)
    t.equal((await post('email/verify', { token })).statusCode, 204)
    t.equal(await emailOf(user), email)
    const me = await request({ url: '/api/v1/users/me', as: user })
    t.equal(me.json().email, email, 'on this instance at once')
    const notice = await nextMail(app, user.user.email)
    t.equal(notice.subject, 'The email address of your Groundwork account was changed')
    t.equal((await post('login', { email, password: user.password })).statusCode, 200)
    t.equal((await post('login', { email: user.user.email, password: user.password })).statusCode, 401)
    t.equal((await post('email/verify', { token })).statusCode, 400)
    t.equal(
      (await post('password/reset', { token: reset, password: 'another sentence of mine' })).statusCode,
      400,
      'a link to the old address is void',
    )
    t.match(await entriesOf(db, 'users.email_changed', user.user.id), [{ actor_id: user.user.id }])
  })

  t.test('it needs the current password, wrong ones count', async (t) => {
    const user = await signUp()
    const email = newAddress()
    const without = await patch(user, { email })
    t.equal(without.statusCode, 400)
    t.equal(without.json().code, 'current_password_required')
    for (let turn = 0; turn < 5; turn++) {
      t.equal((await patch(user, { email, current_password: 'wrong' })).json().code, 'wrong_password')
    }
    t.equal((await patch(user, { email, current_password: user.password })).statusCode, 429)
    t.equal((await patch(user, { username: `${user.user.username}x` })).statusCode, 200, 'the name does not')
    t.same(await allMails(app, db, email), [])
    const path = `/api/v1/users/${user.user.id}`
    const byId = await request({ method: 'PATCH', url: path, as: user, payload: { email } })
    t.equal(byId.json().code, 'current_password_required', 'by id neither')
  })

  t.test('an admin’s own address is changed as anybody’s', async (t) => {
    const own = await signUp({ role: 'admin' })
    const email = newAddress()
    const url = `/api/v1/users/${own.user.id}`
    t.equal((await request({ method: 'PATCH', url, as: own, payload: { email } })).statusCode, 400)
    const payload = { email, current_password: own.password }
    const response = await request({ method: 'PATCH', url, as: own, payload })
    t.equal(response.json().email, own.user.email)
    t.ok(tokenIn(await nextMail(app, email)))
  })

  t.test('an address that somebody has gets the same answer, and its owner a notice', async (t) => {
    const [user, owner] = [await signUp(), await signUp()]
    const ask = async (email: string) => {
      const response = await patch(user, { email, current_password: user.password })
      const { date: _, 'x-request-id': __, ...headers } = response.headers
      return { status: response.statusCode, body: response.body, headers }
    }
    const taken = await ask(owner.user.email.toUpperCase())
    // Before the next wish, which voids this one.
    const notice = await nextMail(app, owner.user.email)
    t.equal(notice.subject, 'You already have an account with Groundwork')
    t.same(await ask(newAddress()), taken)
    t.equal(await emailOf(owner), owner.user.email)
  })

  t.test('an address that is taken before it is confirmed is refused then', async (t) => {
    const user = await signUp()
    const email = newAddress()
    await patch(user, { email, current_password: user.password })
    const token = tokenIn(await nextMail(app, email))
    await signUp({ email })
    const response = await post('email/verify', { token })
    t.equal(response.statusCode, 409)
    t.equal(response.json().code, 'email_taken')
    t.equal(await emailOf(user), user.user.email)
  })

  t.test('a newer wish voids the older', async (t) => {
    const user = await signUp()
    const [first, second] = [newAddress(), newAddress()]
    await patch(user, { email: first, current_password: user.password })
    const old = tokenIn(await nextMail(app, first))
    await patch(user, { email: second, current_password: user.password })
    const token = tokenIn(await nextMail(app, second))
    t.equal((await post('email/verify', { token: old })).statusCode, 400)
    t.equal((await post('email/verify', { token })).statusCode, 204)
    t.equal(await emailOf(user), second)
  })

  t.test(
    'one’s own address in another spelling is confirmed too, the same one changes nothing',
    async (t) => {
      const user = await signUp()
      const { email } = user.user
      t.equal((await patch(user, { email, current_password: user.password })).statusCode, 200)
      t.same(await allMails(app, db, email), [])
      await patch(user, { email: email.toUpperCase(), current_password: user.password })
      t.equal(
        (await post('email/verify', { token: tokenIn(await nextMail(app, email.toUpperCase())) })).statusCode,
        204,
      )
      t.equal(await emailOf(user), email.toUpperCase())
    },
  )

  t.test('an admin changes the address of another at once, and the old one is told', async (t) => {
    const user = await signUp()
    await post('password/forgot', { email: user.user.email })
    const token = tokenIn(await nextMail(app, user.user.email))
    const email = newAddress()
    const url = `/api/v1/users/${user.user.id}`
    const response = await request({ method: 'PATCH', url, as: admin, payload: { email } })
    t.equal(response.statusCode, 200)
    t.equal(response.json().email, email)
    t.equal(
      (await nextMail(app, user.user.email)).subject,
      'The email address of your Groundwork account was changed',
    )
    t.same(await allMails(app, db, email), [])
    t.equal((await post('password/reset', { token, password: 'another sentence of mine' })).statusCode, 400)
    t.match(await entriesOf(db, 'users.updated', user.user.id), [{ actor_id: admin.user.id }])
    const taken = await request({ method: 'PATCH', url, as: admin, payload: { email: admin.user.email } })
    t.equal(taken.json().code, 'email_taken')
  })

  t.test('If-Match is respected', async (t) => {
    const user = await signUp()
    const { etag } = (await request({ url: '/api/v1/users/me', as: user })).headers
    const email = newAddress()
    const payload = { email, current_password: user.password }
    for (const more of [{}, { username: `${user.user.username}y` }]) {
      const response = await patch(user, { ...payload, ...more }, { 'if-match': '"1"' })
      t.equal(response.statusCode, 412)
      t.equal(response.json().code, 'user_changed')
    }
    t.same(await allMails(app, db, email), [])
    const both = { ...payload, username: `${user.user.username}z` }
    const response = await patch(user, both, { 'if-match': String(etag) })
    t.equal(response.statusCode, 200)
    t.match(response.json(), { username: both.username, email: user.user.email })
    t.ok(await nextMail(app, email))
  })

  t.test('a name that is taken asks for no address either', async (t) => {
    const user = await signUp()
    const email = newAddress()
    const payload = { email, username: admin.user.username, current_password: user.password }
    t.equal((await patch(user, payload)).json().code, 'username_taken')
    t.same(await allMails(app, db, email), [])
    t.same(await db.query('SELECT FROM one_time_tokens WHERE user_id = $1', [user.user.id]), [])
  })
})
