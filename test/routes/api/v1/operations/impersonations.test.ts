import t from 'tap'
import type { TokenPair } from '#schemas/authentication.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const BASE = '/api/v1/operations'
const reason = 'Ticket 4711'
const FORBIDDEN = { status: 403, code: 'impersonation_forbids_this' }

async function start(t: Parameters<typeof borrowTestApp>[0]) {
  const testApp = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { request, signUp } = testApp
  const admin = await signUp({ role: 'admin' })
  const get = async (path: string) => (await request({ url: BASE + path, as: admin })).json()
  const post = (path: string, payload: object) =>
    request({ method: 'POST', url: BASE + path, as: admin, payload })
  /** Acts in the place of a user: the same user with other tokens. */
  const actAs = async (user: TestUser, minutes = 30) => {
    const response = await post('/impersonations', { user_id: user.user.id, minutes, reason })
    t.equal(response.statusCode, 200, response.body)
    const { impersonation, tokens }: { impersonation: { id: string }; tokens: TokenPair } = response.json()
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    return { ...user, headers, session_id: impersonation.id, refresh_token: tokens.refresh_token }
  }
  return { ...testApp, admin, get, post, actAs }
}

t.test('an admin acts in the place of a user, and everything names both', async (t) => {
  const { app, admin, actAs, get, request, signUp, db, logs } = await start(t)
  const user = await signUp()
  const tenant = await createOrganization(app, user)
  const as = await actAs(user)

  t.equal((await request({ url: '/api/v1/users/me', as })).json().id, user.user.id)
  const current = (await request({ url: '/api/v1/auth/sessions/current', as })).json()
  t.match(current, {
    id: as.session_id,
    is_current: true,
    impersonator: { id: admin.user.id, username: admin.user.username, reason },
  })
  t.match((await request({ url: '/api/v1/auth/sessions/current', as: user })).json(), { impersonator: null })

  const created = await request({
    method: 'POST',
    url: `${tenant.url}/projects`,
    as,
    payload: { name: 'Mill' },
  })
  t.equal(created.statusCode, 201, created.body)
  const { id } = created.json()
  const [entry] = (await request({ url: `${tenant.url}/audit-entries?target_id=${id}`, as: user })).json()
    .data
  t.match(entry, { actor_kind: 'user', actor_id: user.user.id, action: 'projects.created' })
  t.match(JSON.parse(entry.details), { impersonator_id: admin.user.id })
  t.strictSame(await db.query('SELECT actor_id, impersonator_id FROM events WHERE subject_id = $1', [id]), [
    { actor_id: user.user.id, impersonator_id: admin.user.id },
  ])
  const lines = logs().filter((line) => line['request_id'] === created.headers['x-request-id'])
  t.ok(lines.length > 0)
  for (const line of lines) t.equal(line['impersonator_id'], admin.user.id)
  t.match(lines.at(-1), { user_id: user.user.id, operation: 'createProject' })

  const [begun] = (await get('/audit-entries?action=sessions.impersonated')).data
  t.match(begun, { actor_kind: 'admin', actor_id: admin.user.id, target_id: as.session_id })
  t.strictSame(JSON.parse(begun.details), { user_id: user.user.id, reason })
  const mails = (await get(`/mails?user_id=${user.user.id}`)).data
  t.match(mails[0], { template: 'impersonated', to: user.user.email })
})

t.test('what an impersonator may not do', async (t) => {
  const { app, actAs, request, signUp, get } = await start(t)
  const user = await signUp()
  const tenant = await createOrganization(app, user)
  const as = await actAs(user)
  const [member, webhook, invitation] = [
    await tenant.add('member'),
    await tenant.createWebhook(),
    await tenant.invite(),
  ]
  const current_password = user.password
  const refused: [method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object][] = [
    ['PUT', '/api/v1/users/me/password', { current_password, password: 'another good long passphrase' }],
    ['PATCH', '/api/v1/users/me', { email: 'other@example.com', current_password }],
    ['PATCH', `/api/v1/users/${user.user.id}`, { email: 'other@example.com', current_password }],
    ['DELETE', '/api/v1/users/me'],
    ['DELETE', `/api/v1/users/${user.user.id}`],
    ['POST', '/api/v1/auth/reauthenticate', { password: user.password }],
    ['DELETE', '/api/v1/auth/sessions'],
    ['DELETE', `/api/v1/auth/sessions/${user.session_id}`],
    ['DELETE', `/api/v1/users/${user.user.id}/sessions`],
    ['POST', `${tenant.url}/api-keys`, { name: 'Key', scopes: ['projects:read'] }],
    ['DELETE', tenant.url],
    // Access that lasts longer than the impersonation.
    ['POST', `${tenant.url}/invitations`, { email: 'admin@example.com', role: 'owner' }],
    ['POST', `${tenant.url}/invitations/${invitation.id}/resend`],
    ['PATCH', `${tenant.url}/members/${member.user.id}`, { role: 'owner' }],
    ['DELETE', `${tenant.url}/members/${member.user.id}`],
    ['POST', `${tenant.url}/leave`],
    ['POST', `${tenant.url}/webhooks`, { url: 'https://hooks.example.com/in', event_types: ['*'] }],
    ['PATCH', `${tenant.url}/webhooks/${webhook.id}`, { url: 'https://hooks.example.com/in' }],
  ]
  for (const [method, url, payload] of refused) {
    const response = await request({ method, url, as, ...(payload ? { payload } : {}) })
    expectProblem(t, response, FORBIDDEN, `${method} ${url}`)
  }
  const again = { user_id: user.user.id, minutes: 1, reason }
  const further = await request({ method: 'POST', url: `${BASE}/impersonations`, as, payload: again })
  t.equal(further.statusCode, 404, 'it has no rights of the admin')
  const denied = (await get('/audit-entries?action=operations.changePassword')).data
  t.match(denied, [{ outcome: 'denied', actor_id: user.user.id, details: /impersonator_id/ }])
})

t.test('in whose place nobody acts', async (t) => {
  const { admin, post, signUp, db } = await start(t)
  const [other, user] = [await signUp({ role: 'admin' }), await signUp()]
  const refused = { status: 403, code: 'impersonation_not_allowed' }
  const ask = (user_id: string, minutes = 5) => post('/impersonations', { user_id, minutes, reason })
  expectProblem(t, await ask(admin.user.id), refused)
  expectProblem(t, await ask(other.user.id), refused)
  await db.query('UPDATE users SET is_active = false WHERE id = $1', [user.user.id])
  expectProblem(t, await ask(user.user.id), refused)
  const unknown = await ask('01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90')
  expectProblem(t, unknown, { status: 404, code: 'user_not_found' })
  for (const minutes of [0, 31]) {
    expectProblem(t, await ask(user.user.id, minutes), { status: 400, code: 'validation_failed' })
  }
})

t.test('how it ends', async (t) => {
  const { admin, actAs, post, get, request, signUp, db } = await start(t)
  const status = async (as: TestUser) => (await request({ url: '/api/v1/users/me', as })).statusCode
  const refresh = ({ refresh_token }: TestUser) =>
    request({ method: 'POST', url: '/api/v1/auth/refresh', payload: { refresh_token } })
  const user = await signUp()

  const stopped = await actAs(user)
  t.equal(await status(stopped), 200)
  const answer = await post(`/impersonations/${stopped.session_id}/stop`, { reason: 'done' })
  t.match([answer.statusCode, answer.json()], [200, { ended_at: /Z$/, reason }])
  t.equal(await status(stopped), 401)
  t.equal((await refresh(stopped)).statusCode, 401)
  const [entry] = (await get('/audit-entries?action=sessions.ended')).data
  t.strictSame(JSON.parse(entry.details), { session_id: stopped.session_id, reason: 'done' })
  t.equal((await post(`/impersonations/${stopped.session_id}/stop`, { reason })).statusCode, 200)
  const own = await post(`/impersonations/${user.session_id}/stop`, { reason })
  expectProblem(t, own, { status: 404, code: 'impersonation_not_found' })
  t.equal(await status(user), 200, 'the own session goes on')

  const left = await actAs(user)
  t.equal((await request({ method: 'POST', url: '/api/v1/auth/logout', as: left })).statusCode, 204)
  t.equal(await status(left), 401)

  const late = await actAs(user, 1)
  t.equal((await refresh(late)).statusCode, 200)
  const [row] = await db.query<{ seconds: number }>(
    `SELECT extract(epoch FROM least(idle_expires_at, expires_at) - created_at)::int AS seconds
     FROM sessions WHERE id = $1`,
    [late.session_id],
  )
  t.strictSame(row, { seconds: 60 }, 'refreshing does not make it longer')

  const promoted = await signUp()
  const byHand = await signUp()
  const [soon, unseen] = [await actAs(promoted), await actAs(byHand)]
  const url = `${BASE}/users/${promoted.user.id}`
  t.equal(
    (await request({ method: 'PATCH', url, as: admin, payload: { role: 'admin', reason } })).statusCode,
    200,
  )
  t.equal(await status(soon), 401, 'nobody acts in the place of an admin')
  await db.query("UPDATE users SET role = 'admin' WHERE id = $1", [byHand.user.id])
  await eventually(async () => (await status(unseen)) === 401)

  const everywhere = await actAs(user)
  t.equal((await request({ method: 'DELETE', url: '/api/v1/auth/sessions', as: admin })).statusCode, 204)
  t.equal(await status(everywhere), 401, 'all sessions of the admin are over, but the own')

  const changed = await actAs(user)
  const passwords = { current_password: admin.password, new_password: 'another good long passphrase' }
  const change = { method: 'PUT', url: '/api/v1/users/me/password', as: admin, payload: passwords } as const
  t.equal((await request(change)).statusCode, 204)
  t.equal(await status(changed), 401, 'with the password of the admin, too')

  const open = await actAs(user)
  const other = await signUp({ role: 'admin' })
  const payload = { role: 'user', reason }
  const demoted = await request({
    method: 'PATCH',
    url: `${BASE}/users/${admin.user.id}`,
    as: other,
    payload,
  })
  t.equal(demoted.statusCode, 200, demoted.body)
  await eventually(async () => (await status(open)) === 401)
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: Record<string, string> = { limit: '2', ...(cursor && { cursor }) }
    const page = (await request({ url: `${BASE}/impersonations`, query, as: other })).json()
    t.ok(page.data.length <= 2)
    seen.push(...page.data.map(({ id }: { id: string }) => id))
    cursor = page.next_cursor
  }
  t.strictSame(
    seen,
    [open, changed, everywhere, unseen, soon, late, left, stopped].map(({ session_id }) => session_id),
    'newest first',
  )
})
