import t from 'tap'
import { cleanupJob } from '#services/operations/jobs.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { nextMail, tokenIn } from '#test/support/mails.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

const PASSWORD = 'another good long passphrase'
const GONE = { status: 404, code: 'invitation_not_found' }

t.test('invitations into an organization', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    APP_TENANCY__MEMBERS_PER_ORGANIZATION: '3',
    APP_TENANCY__INVITATION_LIFETIME: '5d',
    APP_TENANCY__INVITATIONS_PER_ORGANIZATION: '6',
    APP_TENANCY__INVITATIONS_PER_ADDRESS: '2',
    APP_AUTH__REGISTRATION: 'closed',
  })
  let count = 0
  const newAddress = () => `invited${++count}@example.com`
  const post = (url: string, payload: object, as?: TestUser) =>
    request({ method: 'POST', url, payload, ...(as ? { as } : {}) })
  const invite = ({ url, owner }: TestOrganization, email: string, role = 'member', as = owner) =>
    post(`${url}/invitations`, { email, role }, as)
  const accept = (token: string, more = {}) => post('/api/v1/invitations/accept', { token, ...more })
  const inspect = (token: string) => post('/api/v1/invitations/inspect', { token })
  const tokenTo = async (email: string) => tokenIn(await nextMail(app, email))
  const roleOf = async ({ url, owner }: TestOrganization, user: string) =>
    (await request({ url: `${url}/members/${user}`, as: owner })).json().role

  await t.test('somebody without an account chooses name and password on the way', async (t) => {
    const tenant = await createOrganization(app)
    const email = newAddress()
    const made = await invite(tenant, email, 'admin')
    t.equal(made.statusCode, 201, made.body)
    t.match(made.json(), { email, role: 'admin', invited_by: tenant.owner.user.id })
    const { created_at, expires_at } = made.json()
    t.equal(Math.round((Date.parse(expires_at) - Date.parse(created_at)) / 86_400_000), 5, 'days')
    const read = await request({ url: String(made.headers.location), as: tenant.owner })
    t.same(read.json(), made.json())
    t.same((await request({ url: `${tenant.url}/invitations`, as: tenant.owner })).json().data, [made.json()])

    const token = await tokenTo(email)
    t.match((await inspect(token)).json(), {
      organization_id: tenant.organization.id,
      organization_name: tenant.organization.name,
      role: 'admin',
      email,
      needs: 'account',
    })
    expectProblem(t, await accept(token), { status: 409, code: 'account_needed' })
    expectProblem(t, await accept(token, { password: PASSWORD }), { status: 409, code: 'account_needed' })
    const weak = await accept(token, { username: 'grace.hopper', password: 'grace.hopper' })
    t.equal(weak.statusCode, 400, weak.body)
    const accepted = await accept(token, { username: 'grace.hopper', password: PASSWORD })
    t.equal(accepted.statusCode, 200, accepted.body)
    t.equal(await roleOf(tenant, accepted.json().user_id), 'admin')
    const login = await post('/api/v1/auth/login', { email, password: PASSWORD })
    t.equal(login.statusCode, 200, 'the address is confirmed')
    for (const used of [await accept(token), await inspect(token)]) expectProblem(t, used, GONE)
  })

  await t.test('accepting is safe to repeat', async (t) => {
    const [tenant, invited] = [await createOrganization(app), await signUp()]
    await invite(tenant, invited.user.email)
    const payload = { token: await tokenTo(invited.user.email) }
    const send = (key: string) =>
      request({
        method: 'POST',
        url: '/api/v1/invitations/accept',
        payload,
        headers: { 'idempotency-key': key },
      })
    const key = crypto.randomUUID()
    const answers = await Promise.all([send(key), send(key), send(key)])
    answers.push(await send(key))
    t.equal(new Set(answers.map(({ body }) => body)).size, 1)
    t.match(answers[0]?.json(), { user_id: invited.user.id, role: 'member' })
    expectProblem(t, await send(crypto.randomUUID()), GONE)
  })

  await t.test(
    'an account with a confirmed address keeps its password, and is told of invitations',
    async (t) => {
      const [tenant, invited] = [await createOrganization(app), await signUp()]
      await invite(tenant, invited.user.email)
      const mine = await request({ url: '/api/v1/users/me/invitations', as: invited })
      const token = await tokenTo(invited.user.email)
      t.match(mine.json().data, [{ organization_name: tenant.organization.name, role: 'member', token }])
      t.same((await request({ url: '/api/v1/users/me/invitations', as: await signUp() })).json().data, [])
      t.equal((await inspect(token)).json().needs, 'nothing')
      t.equal((await accept(token, { username: 'other', password: PASSWORD })).statusCode, 200)
      t.equal(await roleOf(tenant, invited.user.id), 'member')
      t.equal((await request({ url: '/api/v1/users/me', as: invited })).statusCode, 200)
      expectProblem(t, await invite(tenant, invited.user.email), { status: 409, code: 'already_member' })

      // One who is a member already, and has got the address since, stays what they are.
      const email = newAddress()
      await invite(tenant, email, 'admin')
      const late = await tokenTo(email)
      await db.query('UPDATE users SET email = $2 WHERE id = $1', [invited.user.id, email])
      t.match((await accept(late)).json(), { user_id: invited.user.id, role: 'member' })
      t.equal(await roleOf(tenant, invited.user.id), 'member')
    },
  )

  await t.test(
    'an account that was never confirmed may be a squatter’s: it gets a new password',
    async (t) => {
      const [tenant, squatter] = [await createOrganization(app), await signUp()]
      await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [squatter.user.id])
      await invite(tenant, squatter.user.email)
      t.same((await request({ url: '/api/v1/users/me/invitations', as: squatter })).json().data, [])
      const token = await tokenTo(squatter.user.email)
      t.equal((await inspect(token)).json().needs, 'password')
      expectProblem(t, await accept(token), { status: 409, code: 'account_needed' })
      t.equal((await accept(token, { password: PASSWORD })).statusCode, 200)
      t.equal(
        (await request({ url: '/api/v1/users/me', as: squatter })).statusCode,
        401,
        'its sessions ended',
      )
      const { email } = squatter.user
      t.equal((await post('/api/v1/auth/login', { email, password: squatter.password })).statusCode, 401)
      t.equal((await post('/api/v1/auth/login', { email, password: PASSWORD })).statusCode, 200)
    },
  )

  await t.test('unknown, revoked, replaced, expired, declined and shut out: the same answer', async (t) => {
    const tenant = await createOrganization(app)
    const answers: string[] = []
    const note = async (token: string) => {
      for (const response of [await inspect(token), await accept(token)]) {
        expectProblem(t, response, GONE)
        answers.push(response.body.replace(/"request_id":"[^"]+"/, ''))
      }
    }
    const [revoked, declined, late] = [newAddress(), newAddress(), newAddress()]
    const { id } = (await invite(tenant, revoked)).json()
    const first = await tokenTo(revoked)
    const again = await request({
      method: 'POST',
      url: `${tenant.url}/invitations/${id}/resend`,
      as: tenant.owner,
    })
    t.equal(again.statusCode, 200, again.body)
    const second = await tokenTo(revoked)
    await note(first)
    t.equal((await inspect(second)).statusCode, 200)
    t.equal(
      (await request({ method: 'DELETE', url: `${tenant.url}/invitations/${id}`, as: tenant.owner }))
        .statusCode,
      204,
    )
    await note(second)
    await invite(tenant, declined)
    const refused = await tokenTo(declined)
    t.equal((await post('/api/v1/invitations/decline', { token: refused })).statusCode, 204)
    expectProblem(t, await post('/api/v1/invitations/decline', { token: refused }), GONE)
    await note(refused)
    await note('uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1')
    await note('not a token')

    const expiring = (await invite(tenant, late)).json()
    const overdue = await tokenTo(late)
    await db.query(
      "UPDATE organization_invitations SET expires_at = now() - interval '31 days' WHERE id = $1",
      [expiring.id],
    )
    await note(overdue)
    const run = { id: '', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
    await cleanupJob.handler(app.ctx, {}, run)
    t.same(await db.query('SELECT FROM organization_invitations WHERE id = $1', [expiring.id]), [])

    const [gone] = [await signUp()]
    await invite(tenant, gone.user.email)
    const shut = await tokenTo(gone.user.email)
    await db.query('UPDATE users SET is_active = false WHERE id = $1', [gone.user.id])
    await note(shut)

    const closing = newAddress()
    await invite(tenant, closing)
    const closed = await tokenTo(closing)
    const { id: org } = tenant.organization
    await db.query('UPDATE organizations SET suspended_at = now() WHERE id = $1', [org])
    await note(closed)
    expectProblem(t, await post('/api/v1/invitations/decline', { token: closed }), GONE)
    t.equal(new Set(answers).size, 1)
  })

  await t.test('limits of an organization and of an address', async (t) => {
    const email = newAddress()
    const tenants = [
      await createOrganization(app),
      await createOrganization(app),
      await createOrganization(app),
    ]
    const [first, , third] = tenants
    if (!first || !third) return
    for (const tenant of tenants.slice(0, 2)) t.equal((await invite(tenant, email)).statusCode, 201)
    const refused = await invite(third, email)
    expectProblem(t, refused, { status: 429, code: 'too_many_invitations' })
    t.ok(Number(refused.headers['retry-after']) > 0)
    // The first has sent one; a refusal by the address is not counted for the organization.
    for (let n = 0; n < 5; n++) t.equal((await invite(first, newAddress())).statusCode, 201)
    expectProblem(t, await invite(first, newAddress()), { status: 429, code: 'too_many_invitations' })
    expectProblem(t, await invite(third, newAddress(), 'owner', await third.add('member')), {
      status: 403,
      code: 'forbidden',
    })
  })

  await t.test('nobody handles an invitation to a role above their own', async (t) => {
    const tenant = await createOrganization(app)
    const [admin, email] = [await tenant.add('admin'), newAddress()]
    expectProblem(t, await invite(tenant, email, 'owner', admin), { status: 403, code: 'forbidden' })
    const { id } = (await invite(tenant, email, 'owner')).json()
    expectProblem(t, await invite(tenant, email), { status: 409, code: 'already_invited' })
    const url = `${tenant.url}/invitations/${id}`
    for (const options of [
      { method: 'DELETE', url },
      { method: 'POST', url: `${url}/resend` },
    ] as const) {
      expectProblem(t, await request({ ...options, as: admin }), { status: 403, code: 'forbidden' })
    }
    t.equal((await request({ url, as: admin })).statusCode, 200, 'it is still there')
  })

  await t.test('an invitation ends with the right to send it', async (t) => {
    const tenant = await createOrganization(app)
    const member = (user: TestUser) => `${tenant.url}/members/${user.user.id}`
    const demote = (user: TestUser, role = 'member') =>
      request({ method: 'PATCH', url: member(user), payload: { role }, as: tenant.owner })
    const ways: Readonly<Record<string, (admin: TestUser) => Promise<{ statusCode: number }>>> = {
      demoted: (admin) => demote(admin),
      removed: (admin) => request({ method: 'DELETE', url: member(admin), as: tenant.owner }),
      'gone by themselves': (admin) => request({ method: 'POST', url: `${tenant.url}/leave`, as: admin }),
      'without an account': (admin) => request({ method: 'DELETE', url: '/api/v1/users/me', as: admin }),
    }
    for (const [name, end] of Object.entries(ways)) {
      const [admin, email] = [await tenant.add('admin'), newAddress()]
      t.equal((await invite(tenant, email, 'admin', admin)).statusCode, 201)
      const token = await tokenTo(email)
      t.ok((await end(admin)).statusCode < 300, name)
      expectProblem(t, await inspect(token), GONE)
      await db.query('DELETE FROM memberships WHERE user_id = $1', [admin.user.id])
    }

    const [next, toOwner, toMember] = [await tenant.add('owner'), newAddress(), newAddress()]
    await invite(tenant, toOwner, 'owner', next)
    await invite(tenant, toMember, 'admin', next)
    t.equal((await demote(next, 'admin')).statusCode, 200)
    expectProblem(t, await inspect(await tokenTo(toOwner)), GONE)
    t.equal((await inspect(await tokenTo(toMember))).statusCode, 200, 'an admin could send it still')
  })

  await t.test('who hands over keeps no invitation to an owner', async (t) => {
    const tenant = await createOrganization(app)
    const [next, email] = [await tenant.add('admin'), newAddress()]
    await invite(tenant, email, 'owner')
    const handOver = { method: 'POST', url: `${tenant.url}/ownership`, as: tenant.owner } as const
    t.equal((await request({ ...handOver, payload: { user_id: next.user.id } })).statusCode, 200)
    expectProblem(t, await inspect(await tokenTo(email)), GONE)
  })

  await t.test('the last place goes to one', async (t) => {
    const tenant = await createOrganization(app)
    await tenant.add('member')
    const invited = [await signUp(), await signUp()]
    const tokens: string[] = []
    for (const { user } of invited) {
      await invite(tenant, user.email)
      tokens.push(await tokenTo(user.email))
    }
    const responses = await Promise.all(tokens.map((token) => accept(token)))
    t.strictSame(responses.map(({ statusCode }) => statusCode).sort(), [200, 409])
    for (const [n, response] of responses.entries()) {
      if (response.statusCode === 200) continue
      t.equal(response.json().code, 'member_limit_reached')
      t.equal((await inspect(String(tokens[n]))).statusCode, 200, 'the invitation is still there')
    }
  })
})
