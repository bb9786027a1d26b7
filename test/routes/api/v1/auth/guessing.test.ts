import { randomUUID } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { TestUser } from '#test/support/helper.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { nextMail, tokenIn } from '#test/support/mails.ts'

const LIMIT = 10
const PER_ADDRESS = 30
const env = {
  APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: String(LIMIT),
  APP_AUTH__LOGIN_LIMIT__PER_ADDRESS: String(PER_ADDRESS),
  APP_SERVER__TRUSTED_PROXIES: '10.0.0.0/8',
}
t.test('guessing', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, env)
  const other = await startInstance(t, db, env)
  // Believes no proxy.
  const bare = await startInstance(t, db, { ...env, APP_SERVER__TRUSTED_PROXIES: '' })

  const PROXY = '10.1.2.3'
  let host = 0

  /** A client address that no other test has. */
  const newAddress = () => `203.0.${Math.floor(++host / 250)}.${host % 250}`

  interface From {
    instance?: FastifyInstance
    /** Address of the client, from the trusted proxy. */
    ip?: string
    headers?: Record<string, string>
    remoteAddress?: string
  }

  function login(email: string, password: string, from: From = {}): Promise<LightMyRequestResponse> {
    const {
      instance = app,
      ip = newAddress(),
      headers = { 'x-forwarded-for': ip },
      remoteAddress = PROXY,
    } = from
    const payload = { email, password }
    return instance.inject({ method: 'POST', url: '/api/v1/auth/login', payload, headers, remoteAddress })
  }

  const statuses = (responses: LightMyRequestResponse[]) => {
    const counts: Record<number, number> = {}
    for (const { statusCode } of responses) counts[statusCode] = (counts[statusCode] ?? 0) + 1
    return counts
  }

  /** Uses up an account's attempts. */
  async function exhaust({ user }: Pick<TestUser, 'user'>): Promise<void> {
    for (let turn = 0; turn < LIMIT; turn++) await login(user.email, 'wrong')
  }

  const hashes = async (): Promise<number> => {
    let sum = 0
    for (const instance of [app, other]) {
      const metric = await instance.metrics.getSingleMetric('password_hash_duration_seconds')?.get()
      for (const value of metric?.values ?? []) {
        const isCount = 'metricName' in value && value.metricName === 'password_hash_duration_seconds_count'
        if (isCount && value.labels['operation'] === 'verify') sum += value.value
      }
    }
    return sum
  }

  /** All that a client sees of an answer, but for what differs by nature. */
  function visible({ statusCode, headers, ...response }: LightMyRequestResponse) {
    const { date: _, 'x-request-id': __, 'retry-after': ___, ...rest } = headers
    const { request_id: ____, ...body } = response.json()
    return { statusCode, body, headers: rest }
  }

  t.test('of a hundred wrong passwords at once over two instances the limit is looked at', async (t) => {
    const user = await signUp()
    const before = await hashes()
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        login(user.user.email, `wrong ${index}`, { instance: index % 2 === 0 ? app : other }),
      ),
    )
    t.same(statuses(responses), { 401: LIMIT, 429: 100 - LIMIT })
    t.equal((await hashes()) - before, LIMIT, 'the rest was not even compared')
    for (const instance of [app, other]) {
      const [right, wrong] = [
        await login(user.user.email, user.password, { instance }),
        await login(user.user.email, 'wrong', { instance }),
      ]
      t.equal(right.statusCode, 429)
      t.equal(right.json().code, 'too_many_attempts')
      t.same(visible(right), visible(wrong), 'right and wrong look alike')
      for (const response of [right, wrong]) {
        const seconds = Number(response.headers['retry-after'])
        t.ok(seconds > 0 && seconds <= 900, `${seconds}`)
      }
    }
    const spelled = await login(user.user.email.toUpperCase(), user.password)
    t.equal(spelled.statusCode, 429, 'also in another spelling')
  })

  t.test('addresses that nobody has count the same', async (t) => {
    const email = `${randomUUID()}@example.com`
    const responses = await Promise.all(Array.from({ length: 40 }, () => login(email, 'wrong')))
    t.same(statuses(responses), { 401: LIMIT, 429: 40 - LIMIT })
    const user = await signUp()
    await exhaust(user)
    t.same(visible(await login(email, 'wrong')), visible(await login(user.user.email, 'wrong')))
  })

  t.test('while the account is limited its sessions, its links and other accounts go on', async (t) => {
    const [user, neighbour] = [await signUp(), await signUp()]
    await exhaust(user)
    t.equal((await login(user.user.email, user.password)).statusCode, 429)
    t.equal((await login(neighbour.user.email, neighbour.password)).statusCode, 200)
    t.equal((await request({ url: '/api/v1/users/me', as: user })).statusCode, 200)
    const post = (path: string, payload: object) =>
      app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload })
    t.equal((await post('refresh', { refresh_token: user.refresh_token })).statusCode, 200)
    t.equal((await post('password/forgot', { email: user.user.email })).statusCode, 202)
    const token = tokenIn(await nextMail(app, user.user.email))
    const password = 'an entirely different sentence'
    t.equal((await post('password/reset', { token, password })).statusCode, 204)
    t.equal((await login(user.user.email, password)).statusCode, 200, 'the owner gets in at once')
  })

  t.test('the right password clears the count', async (t) => {
    const user = await signUp()
    for (let round = 0; round < 3; round++) {
      for (let turn = 0; turn < LIMIT - 1; turn++)
        t.equal((await login(user.user.email, 'wrong')).statusCode, 401)
      t.equal((await login(user.user.email, user.password)).statusCode, 200)
    }
  })

  t.test('the count starts again after its window, which refused attempts do not prolong', async (t) => {
    const user = await signUp()
    await exhaust(user)
    const ends = () =>
      db.query("SELECT expires_at FROM login_attempts WHERE subject LIKE 'account:%' ORDER BY subject")
    const before = await ends()
    t.equal((await login(user.user.email, user.password)).statusCode, 429)
    t.same(await ends(), before)
    await db.query("UPDATE login_attempts SET expires_at = clock_timestamp() - interval '1 ms'")
    for (let turn = 0; turn < LIMIT; turn++) t.equal((await login(user.user.email, 'wrong')).statusCode, 401)
    t.equal((await login(user.user.email, user.password)).statusCode, 429)
  })

  t.test('guesses from one address count together, whatever the account', async (t) => {
    const ip = newAddress()
    const user = await signUp()
    const responses = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        login(`${index}-${user.user.email}`, 'wrong', { ip, instance: index % 2 === 0 ? app : other }),
      ),
    )
    t.same(statuses(responses), { 401: PER_ADDRESS, 429: 60 - PER_ADDRESS })
    t.equal((await login(user.user.email, user.password, { ip })).statusCode, 429)
    t.equal((await login(user.user.email, user.password)).statusCode, 200, 'not from elsewhere')
  })

  t.test('right passwords from one address are not counted', async (t) => {
    const ip = newAddress()
    const user = await signUp()
    for (let turn = 0; turn < PER_ADDRESS + 5; turn++)
      t.equal((await login(user.user.email, user.password, { ip })).statusCode, 200)
  })

  /** From many addresses that are one client. */
  async function fill(addresses: (index: number) => From): Promise<void> {
    const responses = await Promise.all(
      Array.from({ length: PER_ADDRESS }, (_, index) =>
        login(`${randomUUID()}@example.com`, 'wrong', addresses(index)),
      ),
    )
    t.same(statuses(responses), { 401: PER_ADDRESS })
  }

  t.test('an IPv6 client counts with its /64, an IPv4 one in IPv6 as itself', async (t) => {
    const { user, password } = await signUp()
    await fill((index) => ({ ip: `2001:db8:1:2:${index.toString(16)}::${index.toString(16)}` }))
    t.equal((await login(user.email, password, { ip: '2001:DB8:1:2:ffff:ffff:ffff:ffff' })).statusCode, 429)
    t.equal((await login(user.email, password, { ip: '2001:db8:1:3::1' })).statusCode, 200)
    const ip = newAddress()
    await fill((index) => ({ ip: index % 2 === 0 ? ip : `::ffff:${ip}` }))
    t.equal((await login(user.email, password, { ip })).statusCode, 429)
    t.equal((await login(user.email, password, { ip: `::ffff:${ip}` })).statusCode, 429)
    t.equal((await login(user.email, password, { ip: `::ffff:${newAddress()}` })).statusCode, 200)
  })

  t.test('the address is that of the connection, or what trusted proxies say of it', async (t) => {
    const { user, password } = await signUp()
    const lie = () => ({
      'x-forwarded-for': newAddress(),
      'x-real-ip': newAddress(),
      forwarded: `for=${newAddress()}`,
    })
    const direct = newAddress()
    await fill(() => ({ remoteAddress: direct, headers: lie() }))
    t.equal(
      (await login(user.email, password, { remoteAddress: direct, headers: lie() })).statusCode,
      429,
      'no proxy of ours',
    )

    const behind = newAddress()
    await fill(() => ({ headers: { 'x-forwarded-for': `${newAddress()}, ${behind}` } }))
    const forged = { headers: { 'x-forwarded-for': `${newAddress()}, ${behind}, 10.9.9.9` } }
    t.equal(
      (await login(user.email, password, forged)).statusCode,
      429,
      'what the client wrote before is not believed',
    )

    const unproxied = `10.200.0.${1 + (host % 200)}`
    await fill(() => ({ instance: bare, remoteAddress: unproxied, headers: lie() }))
    const again = { instance: bare, remoteAddress: unproxied, headers: lie() }
    t.equal((await login(user.email, password, again)).statusCode, 429, 'no proxy is trusted')
  })

  t.test('nonsense from a proxy neither bypasses the limit nor causes an error', async (t) => {
    const { user, password } = await signUp()
    for (const text of [
      'nonsense',
      '999.1.1.1',
      '',
      ',,,',
      '1.2.3.4:80',
      '"',
      '::1%eth0',
      'a'.repeat(2000),
    ]) {
      const headers = { 'x-forwarded-for': text }
      t.equal((await login(user.email, password, { headers })).statusCode, 200, text)
    }
    const ips = await db.query('SELECT DISTINCT host(ip) AS ip FROM sessions WHERE user_id = $1', [user.id])
    t.ok(ips.length > 0)
  })

  t.test('a failure for lack of capacity does not count as a guess', async (t) => {
    const full = await startInstance(t, db, { ...env, APP_AUTH__ARGON2__MAX_QUEUE: '0' })
    const { user, password } = await signUp()
    const responses = await Promise.all(
      Array.from({ length: LIMIT - 1 }, () => login(user.email, 'wrong', { instance: full })),
    )
    const refused = statuses(responses)[503] ?? 0
    const [row] = await db.query(
      `SELECT sum(failures)::int AS failures FROM login_attempts
     WHERE subject = 'account:' || encode(sha256(convert_to($1, 'UTF8')), 'hex')`,
      [user.email],
    )
    t.equal(row?.['failures'], LIMIT - 1 - refused)
    t.equal((await login(user.email, password)).statusCode, 200)
  })

  t.test('the table does not list what people typed', async (t) => {
    const user = await signUp()
    await login(user.user.email, 'wrong')
    const rows = await db.query<{ subject: string }>('SELECT subject FROM login_attempts')
    t.notOk(rows.some(({ subject }) => subject.includes('@') || subject.includes(user.user.username)))
  })
})
