import { randomUUID } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { startInstance, statementsOf } from '#test/support/instances.ts'
import { allMails, nextMail, tokenIn } from '#test/support/mails.ts'

t.test('registration modes', async (t) => {
  const { app, db, request, signUp, logLines } = await borrowTestApp(t, { APP_AUTH__REGISTRATION: 'verify' })
  // Does no jobs, so that its statements are those of its requests.
  const web = await startInstance(t, db, { APP_AUTH__REGISTRATION: 'verify', APP_ROLE: 'web' })

  const PASSWORD = 'correct horse battery staple'

  function newcomer() {
    const name = `n${randomUUID().slice(0, 12)}`
    return { email: `${name}@example.com`, username: name, password: PASSWORD }
  }

  const register = (instance: FastifyInstance, payload: object) =>
    instance.inject({ method: 'POST', url: '/api/v1/users', payload })

  const post = (path: string, payload: object) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload })

  const usersWith = (email: string) =>
    db.query('SELECT username, role, is_active, email_verified_at FROM users WHERE email = $1', [email])

  /** All that a client sees of an answer, but for what differs by nature. */
  function visible({ statusCode, body, headers }: LightMyRequestResponse) {
    const { date: _, 'x-request-id': __, ...rest } = headers
    return { statusCode, body, headers: rest }
  }

  t.test('an account is created by the link in the mail, once', async (t) => {
    const input = newcomer()
    const response = await register(app, input)
    t.equal(response.statusCode, 202)
    t.same(response.json(), { status: 'verification_required' })
    t.equal(response.headers.location, undefined)
    t.same(await usersWith(input.email), [], 'there is none before')
    const credentials = { email: input.email, password: input.password }
    const early = await post('login', credentials)
    t.equal(early.statusCode, 401)
    t.equal(early.json().code, 'invalid_credentials')

    const mail = await nextMail(app, input.email)
    t.equal(mail.subject, 'Confirm your email address for Groundwork')
    t.match(mail.text, 'http://127.0.0.1:8080/account/verify-email#token=')
    const token = tokenIn(mail)
    const verified = await post('email/verify', { token })
    t.equal(verified.statusCode, 204)
    t.equal(verified.body, '')
    t.match(await usersWith(input.email), [
      { username: input.username, role: 'user', is_active: true, email_verified_at: Date },
    ])
    t.equal((await post('login', credentials)).statusCode, 200)

    const again = await post('email/verify', { token })
    t.equal(again.statusCode, 400)
    t.equal(again.json().code, 'invalid_one_time_token')
    t.same(await db.query('SELECT FROM registrations WHERE email = $1', [input.email]), [])
    t.notOk(
      logLines.some((line) => line.includes(token)),
      'no log holds the token',
    )
  })

  t.test('known and unknown addresses get the same answer by the same work', async (t) => {
    const owner = await signUp()
    // The statements of the first request are prepared, and pg-boss looks its queues up.
    await register(web, newcomer())
    const known = { ...newcomer(), email: owner.user.email.toUpperCase() }
    const unknown = newcomer()
    const answers: unknown[] = []
    const work: unknown[] = []
    for (const input of [known, unknown]) {
      work.push(
        await statementsOf(web, async () => {
          answers.push(visible(await register(web, input)))
        }),
      )
    }
    t.same(answers[0], answers[1])
    t.same(work[0], work[1])
    t.match(work[0], { insertRegistration: 1, enqueueJob: Number })

    const notice = await nextMail(app, owner.user.email)
    t.equal(notice.subject, 'You already have an account with Groundwork')
    t.notMatch(notice.text, known.username, 'the owner is addressed by the own name')
    t.throws(() => tokenIn(notice))
    t.equal((await nextMail(app, unknown.email)).subject, 'Confirm your email address for Groundwork')
  })

  t.test('two people who register one address each get what they asked for, and one has it', async (t) => {
    const [first, second] = [newcomer(), { ...newcomer(), password: 'quite another sentence' }]
    second.email = first.email
    await register(app, first)
    const one = tokenIn(await nextMail(app, first.email))
    await register(app, second)
    const two = tokenIn(await nextMail(app, first.email))
    t.equal((await post('email/verify', { token: two })).statusCode, 204)
    t.match(await usersWith(first.email), [{ username: second.username }])
    t.equal((await post('email/verify', { token: one })).json().code, 'invalid_one_time_token')
    t.equal((await post('login', { email: first.email, password: second.password })).statusCode, 200)
    t.equal((await post('login', { email: first.email, password: first.password })).statusCode, 401)
  })

  t.test('a name or an address that is taken by the time of the link is refused then', async (t) => {
    const [name, address] = [newcomer(), newcomer()]
    await register(app, name)
    await register(app, address)
    const byName = tokenIn(await nextMail(app, name.email))
    const byAddress = tokenIn(await nextMail(app, address.email))
    await signUp({ username: name.username.toUpperCase() })
    await signUp({ email: address.email })
    for (const [token, code] of [
      [byName, 'username_taken'],
      [byAddress, 'email_taken'],
    ] as const) {
      const response = await post('email/verify', { token })
      t.equal(response.statusCode, 409)
      t.equal(response.json().code, code)
    }
    t.equal((await register(app, { ...newcomer(), username: name.username })).json().code, 'username_taken')
  })

  t.test('an expired link does nothing', async (t) => {
    const input = newcomer()
    await register(app, input)
    const token = tokenIn(await nextMail(app, input.email))
    await db.query('UPDATE registrations SET expires_at = now() WHERE email = $1', [input.email])
    t.equal((await post('email/verify', { token })).json().code, 'invalid_one_time_token')
    t.same(await usersWith(input.email), [])
  })

  t.test('a link that is used fifty times at once makes one account', async (t) => {
    const input = newcomer()
    await register(app, input)
    const token = tokenIn(await nextMail(app, input.email))
    const responses = await Promise.all(Array.from({ length: 50 }, () => post('email/verify', { token })))
    const statuses = responses.map(({ statusCode }) => statusCode).sort()
    t.same(statuses, [204, ...Array(49).fill(400)])
  })

  t.test('a new link voids the old; the answer is the same for every address', async (t) => {
    const input = newcomer()
    await register(app, input)
    const old = tokenIn(await nextMail(app, input.email))
    const owner = await signUp()
    const answers = []
    for (const email of [input.email, owner.user.email, newcomer().email])
      answers.push(visible(await post('email/resend', { email })))
    t.match(answers[0], { statusCode: 202, body: '{"status":"accepted"}' })
    t.same(answers[1], answers[0])
    t.same(answers[2], answers[0])
    const token = tokenIn(await nextMail(app, input.email))
    t.not(token, old)
    t.equal((await post('email/verify', { token: old })).statusCode, 400)
    t.equal((await post('email/verify', { token })).statusCode, 204)
    t.same(await allMails(app, db, owner.user.email), [], 'who is confirmed gets none')
  })

  t.test('an account that never confirmed its address cannot sign in before it does', async (t) => {
    const user = await signUp()
    await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [user.user.id])
    const credentials = { email: user.user.email, password: user.password }
    t.equal((await post('login', credentials)).json().code, 'invalid_credentials')
    await post('email/resend', { email: user.user.email })
    const token = tokenIn(await nextMail(app, user.user.email))
    t.equal(
      (await post('password/reset', { token, password: PASSWORD })).statusCode,
      400,
      'it is for one purpose',
    )
    t.equal((await post('email/verify', { token })).statusCode, 204)
    t.equal((await post('login', credentials)).statusCode, 200)
  })

  t.test('an inactive account confirms nothing', async (t) => {
    const user = await signUp()
    await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [user.user.id])
    await post('email/resend', { email: user.user.email })
    const token = tokenIn(await nextMail(app, user.user.email))
    await db.query('UPDATE users SET is_active = false WHERE id = $1', [user.user.id])
    t.equal((await post('email/verify', { token })).statusCode, 400)
    await post('email/resend', { email: user.user.email })
    t.equal((await allMails(app, db, user.user.email)).length, 1)
  })

  t.test('nobody gets more mails than the limit, even if different people ask', async (t) => {
    const early = newcomer()
    for (let turn = 0; turn < 8; turn++) await post('email/resend', { email: early.email })
    // Jobs need not run in the order in which they come.
    t.same(await allMails(app, db, early.email), [])
    await register(app, early)
    t.same(
      await allMails(app, db, early.email),
      [],
      'what was asked in vain counts as well, or it would tell',
    )
    const input = newcomer()
    await register(app, input)
    t.equal((await allMails(app, db, input.email)).length, 1)
    for (let turn = 0; turn < 8; turn++) {
      t.equal((await post('email/resend', { email: input.email })).statusCode, 202)
    }
    const mails = await allMails(app, db, input.email)
    t.equal(mails.length, 5)
    const statuses = []
    for (const mail of mails) statuses.push((await post('email/verify', { token: tokenIn(mail) })).statusCode)
    t.same(statuses.sort(), [204, 400, 400, 400, 400], 'one link works, also beyond the limit')
  })

  t.test('with open registration the account is there at once', async (t) => {
    const open = await startInstance(t, db, { APP_AUTH__REGISTRATION: 'open' })
    const input = newcomer()
    const response = await register(open, input)
    t.equal(response.statusCode, 201)
    t.match(await usersWith(input.email), [{ username: input.username, email_verified_at: null }])
    t.equal((await register(open, { ...newcomer(), email: input.email })).json().code, 'email_taken')
  })

  t.test('with closed registration nobody registers', async (t) => {
    const closed = await startInstance(t, db, { APP_AUTH__REGISTRATION: 'closed' })
    const owner = await signUp()
    for (const input of [
      newcomer(),
      { ...newcomer(), email: owner.user.email },
      { ...newcomer(), password: 'password' },
    ]) {
      const response = await register(closed, input)
      t.equal(response.statusCode, 403)
      t.equal(response.json().code, 'registration_closed')
    }
    t.equal((await request({ url: '/api/v1/users/me', as: owner })).statusCode, 200)
  })
})
