import { randomBytes } from 'node:crypto'
import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestUser } from '#test/support/helper.ts'
import { startInstance, statementsOf } from '#test/support/instances.ts'
import { allMails, jobsDone, nextMail, tokenIn } from '#test/support/mails.ts'

const env = {
  APP_SERVER__PUBLIC_URL: 'https://api.example.org',
  APP_SERVER__TRUSTED_PROXIES: '127.0.0.1',
}
t.test('forgotten passwords', async (t) => {
  const { app, db, request, signUp, logLines } = await borrowTestApp(t, env)
  const other = await startInstance(t, db, env)
  const web = await startInstance(t, db, { APP_ROLE: 'web' })

  const NEW_PASSWORD = 'an entirely different sentence'

  const post = (path: string, payload: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload, headers })

  const forgot = (email: string, headers = {}) => post('password/forgot', { email }, headers)
  const reset = (token: string, password = NEW_PASSWORD) => post('password/reset', { token, password })
  const login = ({ user }: TestUser, password: string) => post('login', { email: user.email, password })

  async function tokenFor({ user }: TestUser): Promise<string> {
    t.equal((await forgot(user.email)).statusCode, 202)
    return tokenIn(await nextMail(app, user.email, 'Reset your Groundwork password'))
  }

  t.test('a forgotten password is replaced by the link in the mail, once', async (t) => {
    const user = await signUp()
    const second = (await login(user, user.password)).json()
    const token = await tokenFor(user)
    t.equal(
      (await request({ url: '/api/v1/users/me', as: user })).statusCode,
      200,
      'sessions go on until then',
    )
    t.equal((await login(user, user.password)).statusCode, 200, 'so does the old password')

    const response = await reset(token)
    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    t.equal((await login(user, user.password)).statusCode, 401)
    t.equal((await login(user, NEW_PASSWORD)).statusCode, 200)

    const tokens = [user.headers.authorization, `Bearer ${second.access_token}`]
    for (const authorization of tokens) {
      const me = { url: '/api/v1/users/me', headers: { authorization } }
      t.equal((await app.inject(me)).statusCode, 401, 'every session is ended')
      await eventually(async () => (await other.inject(me)).statusCode === 401)
    }
    for (const refresh_token of [user.refresh_token, second.refresh_token])
      t.equal((await post('refresh', { refresh_token })).statusCode, 401)

    const again = await reset(token, 'yet another one of mine')
    t.equal(again.statusCode, 400)
    t.equal(again.json().code, 'invalid_one_time_token')
    t.ok(await nextMail(app, user.user.email, 'Your Groundwork password was changed'))
    t.match(await entriesOf(db, 'users.password_%', user.user.id), [{ action: 'users.password_reset' }])
  })

  t.test('every address gets the same answer by the same work', async (t) => {
    const [user, inactive] = [await signUp(), await signUp()]
    await db.query('UPDATE users SET is_active = false WHERE id = $1', [inactive.user.id])
    const emails = ['nobody@example.com', user.user.email, inactive.user.email, user.user.email.toUpperCase()]
    const ask = (email: string) =>
      web.inject({ method: 'POST', url: '/api/v1/auth/password/forgot', payload: { email } })
    await ask('first@example.com')
    const seen: unknown[] = []
    for (const email of emails) {
      let answer: unknown
      const work = await statementsOf(web, async () => {
        const { statusCode, body, headers } = await ask(email)
        const { date: _, 'x-request-id': __, ...rest } = headers
        answer = { statusCode, body, headers: rest }
      })
      seen.push({ answer, work })
    }
    t.match(seen[0], {
      answer: { statusCode: 202, body: '{"status":"accepted"}' },
      work: { enqueueJob: Number },
    })
    for (const one of seen) t.same(one, seen[0])
    t.equal((await allMails(app, db, user.user.email)).length, 2)
    for (const email of ['nobody@example.com', inactive.user.email])
      t.same(await allMails(app, db, email), [])
    for (const payload of [{}, { email: 'none' }, { email: user.user.email, x: 1 }, { email: null }])
      t.equal((await post('password/forgot', payload)).statusCode, 400)
  })

  t.test('a newer link voids the older', async (t) => {
    const user = await signUp()
    const old = await tokenFor(user)
    const token = await tokenFor(user)
    t.equal((await reset(old)).json().code, 'invalid_one_time_token')
    t.equal((await reset(token)).statusCode, 204)
  })

  t.test('an expired or invalid link does nothing', async (t) => {
    const user = await signUp()
    const token = await tokenFor(user)
    t.equal((await post('email/verify', { token })).statusCode, 400, 'it is for one purpose')
    const texts = [
      randomBytes(32).toString('base64url'),
      'x',
      `${token}=`,
      token.slice(1),
      user.refresh_token,
      'ä🙂',
    ]
    for (const text of texts) t.equal((await reset(text)).json().code, 'invalid_one_time_token', text)
    for (const text of ['', 'x'.repeat(513), 'a\u0000b']) t.equal((await reset(text)).statusCode, 400)
    await db.query('UPDATE one_time_tokens SET expires_at = now() WHERE user_id = $1', [user.user.id])
    t.equal((await reset(token)).json().code, 'invalid_one_time_token')
    t.equal((await login(user, user.password)).statusCode, 200)
  })

  t.test('it expires after half an hour', async (t) => {
    const user = await signUp()
    await tokenFor(user)
    t.match(
      await db.query(
        "SELECT expires_at - created_at BETWEEN '29 minutes' AND '31 minutes' AS ok FROM one_time_tokens WHERE user_id = $1",
        [user.user.id],
      ),
      [{ ok: true }],
    )
  })

  t.test('a password that is refused leaves the link usable', async (t) => {
    const user = await signUp()
    const token = await tokenFor(user)
    for (const password of ['short', 'password', `my ${user.user.username} word`, 'x'.repeat(129)])
      t.equal((await reset(token, password)).statusCode, 400, password)
    t.equal((await request({ url: '/api/v1/users/me', as: user })).statusCode, 200)
    t.equal((await reset(token)).statusCode, 204)
  })

  t.test('a reset voids every other link of the user', async (t) => {
    const user = await signUp()
    const email = `new-${user.user.email}`
    const payload = { email, current_password: user.password }
    await request({ method: 'PATCH', url: '/api/v1/users/me', as: user, payload })
    const change = tokenIn(await nextMail(app, email))
    t.equal((await reset(await tokenFor(user))).statusCode, 204)
    t.equal((await post('email/verify', { token: change })).statusCode, 400)
    t.same(await db.query('SELECT FROM one_time_tokens WHERE user_id = $1', [user.user.id]), [])
  })

  t.test('a deactivation voids every link of the user', async (t) => {
    const [user, admin] = [await signUp(), await signUp({ role: 'admin' })]
    const token = await tokenFor(user)
    const patch = (is_active: boolean) =>
      request({ method: 'PATCH', url: `/api/v1/users/${user.user.id}`, as: admin, payload: { is_active } })
    t.equal((await patch(false)).statusCode, 200)
    t.equal((await reset(token)).statusCode, 400)
    t.equal((await patch(true)).statusCode, 200)
    t.equal((await reset(token)).statusCode, 400)
  })

  t.test('by a reset the address is confirmed', async (t) => {
    const user = await signUp()
    await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [user.user.id])
    t.equal((await reset(await tokenFor(user))).statusCode, 204)
    t.match(await db.query('SELECT email_verified_at FROM users WHERE id = $1', [user.user.id]), [
      { email_verified_at: Date },
    ])
  })

  t.test('nobody gets more mails than the limit, and other mails do not use it up', async (t) => {
    const user = await signUp()
    for (let turn = 0; turn < 8; turn++) {
      await request({
        method: 'PATCH',
        url: '/api/v1/users/me',
        as: await signUp(),
        payload: { email: user.user.email, current_password: user.password },
      })
    }
    t.equal((await allMails(app, db, user.user.email)).length, 5, 'nor by changes of address')
    for (let turn = 0; turn < 8; turn++) t.equal((await forgot(user.user.email)).statusCode, 202)
    const mails = (await allMails(app, db, user.user.email)).filter(
      ({ subject }) => subject === 'Reset your Groundwork password',
    )
    t.equal(mails.length, 5)
    const statuses = []
    for (const mail of mails) statuses.push((await reset(tokenIn(mail))).statusCode)
    t.same(statuses.sort(), [204, 400, 400, 400, 400], 'one of them works')
  })

  t.test('links are built from the configuration, whatever the request says', async (t) => {
    const user = await signUp()
    await forgot(user.user.email, {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example',
      origin: 'https://evil.example',
      referer: 'https://evil.example/x',
    })
    const mail = await nextMail(app, user.user.email)
    t.match(mail.text, 'https://api.example.org/account/reset-password#token=')
    for (const part of [mail.text, mail.html, mail.headers]) t.notMatch(part, 'evil.example')
  })

  t.test('links lead where email.link_base says', async (t) => {
    const { app: own, signUp: signUpThere } = await borrowTestApp(t, {
      APP_EMAIL__LINK_BASE: 'https://app.example.net/login',
    })
    const { user } = await signUpThere()
    await own.inject({ method: 'POST', url: '/api/v1/auth/password/forgot', payload: { email: user.email } })
    t.match((await nextMail(own, user.email)).text, 'https://app.example.net/login/reset-password#token=')
  })

  t.test('no token is in any table, job or log', async (t) => {
    const user = await signUp()
    const tokens = [user.refresh_token, await tokenFor(user)]
    const { refresh_token, access_token } = (
      await post('refresh', { refresh_token: user.refresh_token })
    ).json()
    tokens.push(refresh_token, access_token, user.headers.authorization.slice('Bearer '.length))
    await reset('wrong')
    await jobsDone(db)
    const tables = await db.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')`,
    )
    t.ok(tables.length > 8)
    let rows = 0
    for (const { name } of tables) {
      // As hexadecimal too, for the columns of bytes.
      for (const { text } of await db.query<{ text: string }>(`SELECT r::text AS text FROM ${name} r`)) {
        rows++
        for (const token of tokens) {
          const forms = [
            token,
            Buffer.from(token).toString('hex'),
            Buffer.from(token, 'base64url').toString('hex'),
          ]
          t.notOk(
            forms.some((form) => text.includes(form)),
            name,
          )
        }
      }
    }
    t.ok(rows > 10)
    for (const token of tokens) t.notOk(logLines.some((line) => line.includes(token)))
  })
})
