import { randomUUID } from 'node:crypto'
import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'
import { allMails, nextMail, tokenIn } from '#test/support/mails.ts'

t.test('invitations', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t, { APP_AUTH__REGISTRATION: 'closed' })
  const admin = await signUp({ role: 'admin' })
  const url = '/api/v1/users/invitations'
  const PASSWORD = 'correct horse battery staple'

  function guest() {
    const name = `g${randomUUID().slice(0, 12)}`
    return { email: `${name}@example.com`, username: name }
  }

  const invite = (payload: object, as: TestUser = admin) => request({ method: 'POST', url, as, payload })

  const post = (path: string, payload: object) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload })

  t.test('an invited user chooses a password by the link and signs in', async (t) => {
    const input = guest()
    const response = await invite(input)
    t.equal(response.statusCode, 201)
    t.match(response.json(), { ...input, role: 'user', is_active: true })
    t.equal(response.headers.location, `/api/v1/users/${response.json().id}`)
    t.ok(response.headers.etag)
    t.equal(
      (await post('login', { email: input.email, password: PASSWORD })).json().code,
      'invalid_credentials',
    )

    const mail = await nextMail(app, input.email)
    t.equal(mail.subject, 'Your Groundwork account')
    const token = tokenIn(mail)
    t.match(mail.text, `/account/choose-password#token=${token}`)
    t.equal((await post('email/verify', { token })).statusCode, 400)
    t.equal((await post('password/reset', { token, password: PASSWORD })).statusCode, 204)
    const login = await post('login', { email: input.email, password: PASSWORD })
    t.equal(login.statusCode, 200)
    t.equal(login.json().user.role, 'user')
    t.equal((await post('password/reset', { token, password: PASSWORD })).statusCode, 400)
  })

  t.test('who lost the invitation asks for a new link', async (t) => {
    const input = guest()
    await invite(input)
    const old = tokenIn(await nextMail(app, input.email))
    await post('password/forgot', { email: input.email })
    const token = tokenIn(await nextMail(app, input.email))
    t.equal((await post('password/reset', { token, password: PASSWORD })).statusCode, 204)
    t.equal((await post('password/reset', { token: old, password: PASSWORD })).statusCode, 400)
  })

  t.test('an address or a name that is taken is refused, and nothing is left of it', async (t) => {
    const owner = await signUp()
    const input = guest()
    const email = await invite({ ...input, email: owner.user.email.toUpperCase() })
    t.equal(email.statusCode, 409)
    t.equal(email.json().code, 'email_taken')
    const name = await invite({ ...input, username: owner.user.username.toUpperCase() })
    t.equal(name.json().code, 'username_taken')
    t.same(await allMails(app, db, input.email), [])
    t.same(await allMails(app, db, owner.user.email), [])
    t.equal((await invite(input)).statusCode, 201)
  })

  t.test('only admins invite', async (t) => {
    const user = await signUp()
    t.equal((await invite(guest(), user)).statusCode, 403)
    t.equal((await request({ method: 'POST', url, payload: guest() })).statusCode, 401)
    for (const payload of [
      {},
      { ...guest(), password: PASSWORD },
      { ...guest(), role: 'root' },
      { ...guest(), email: 'x' },
    ])
      t.equal((await invite(payload)).statusCode, 400)
  })

  t.test('an invited admin does not count before the password is chosen', async (t) => {
    const own = await borrowTestApp(t)
    const last = await own.signUp({ role: 'admin' })
    const input = guest()
    const invited = await own.request({ method: 'POST', url, as: last, payload: { ...input, role: 'admin' } })
    t.equal(invited.json().role, 'admin')
    const path = `/api/v1/users/${last.user.id}`
    const attempts = [
      { method: 'PATCH', url: path, payload: { role: 'user' } },
      { method: 'PATCH', url: path, payload: { is_active: false } },
      { method: 'DELETE', url: path },
      { method: 'DELETE', url: '/api/v1/users/me' },
    ] as const
    for (const attempt of attempts) {
      const response = await own.request({ ...attempt, as: last })
      t.equal(response.statusCode, 409)
      t.equal(response.json().code, 'last_admin')
    }
    const token = tokenIn(await nextMail(own.app, input.email))
    const payload = { token, password: PASSWORD }
    await own.request({ method: 'POST', url: '/api/v1/auth/password/reset', payload })
    t.equal((await own.request({ method: 'DELETE', url: path, as: last })).statusCode, 204)
  })
})
