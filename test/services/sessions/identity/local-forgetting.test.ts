import t from 'tap'
import { deriveToken } from '#lib/secrets/secrets.ts'
import { invitationToken } from '#services/invitations/token.ts'
import { issue, type Purpose } from '#services/one-time-tokens/one-time-tokens.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const NEW_PASSWORD = 'an entirely different sentence'
const reason = 'Ticket 4711'

/** The triggers by which the database tells of changes; without them only the instance itself knows. */
const SILENCE = `DO $$
  DECLARE found record;
  BEGIN
    FOR found IN SELECT tgname, tgrelid::regclass AS place FROM pg_trigger WHERE tgname LIKE '%\\_notify%' LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.place);
    END LOOP;
  END $$`

t.test(
  'an instance forgets at once what it changes itself, though the database tells it nothing',
  async (t) => {
    const { app, db, request, signUp } = await createTestApp(t, { APP_RATE_LIMIT__ENABLED: 'false' })
    await db.query(SILENCE)

    const me = async (as: Pick<TestUser, 'headers'>) =>
      app.inject({ url: '/api/v1/users/me', headers: as.headers })
    const statusOf = async (as: Pick<TestUser, 'headers'>) => (await me(as)).statusCode
    /** Has the instance keep who a session is of. */
    const warm = async (...users: Pick<TestUser, 'headers'>[]) => {
      for (const user of users) t.equal(await statusOf(user), 200)
    }
    const send = async (
      method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      url: string,
      { as, payload }: { as?: TestUser; payload?: object } = {},
    ) => {
      const response = await request({
        method,
        url: `/api/v1${url}`,
        ...(as && { as }),
        ...(payload && { payload }),
      })
      t.match(response, { statusCode: /^20/ }, response.body)
      return response
    }
    /** The same user, signed in again. */
    const again = async (user: TestUser): Promise<TestUser> => {
      const payload = { email: user.user.email, password: user.password }
      const { access_token, refresh_token } = (await send('POST', '/auth/login', { payload })).json()
      return { ...user, refresh_token, headers: { authorization: `Bearer ${access_token}` } }
    }
    const link = async ({ user }: TestUser, purpose: Purpose, newEmail?: string) => {
      const { id } = await issue(app.ctx, { userId: user.id, purpose, ...(newEmail && { newEmail }) })
      return deriveToken(app.ctx.oneTimeTokens.key, id)
    }

    await t.test('a new password ends other sessions', async (t) => {
      const user = await signUp()
      const other = await again(user)
      await warm(user, other)
      const payload = { current_password: user.password, new_password: NEW_PASSWORD }
      await send('PUT', '/users/me/password', { as: user, payload })
      t.same([await statusOf(user), await statusOf(other)], [200, 401])
    })

    await t.test('a password that was reset ends all of them', async (t) => {
      const user = await signUp()
      await warm(user)
      const payload = { token: await link(user, 'reset_password'), password: NEW_PASSWORD }
      await send('POST', '/auth/password/reset', { payload })
      t.equal(await statusOf(user), 401)
    })

    await t.test('a confirmed address', async (t) => {
      const user = await signUp()
      await warm(user)
      const email = `new-${user.user.email}`
      const payload = { token: await link(user, 'change_email', email) }
      await send('POST', '/auth/email/verify', { payload })
      t.equal((await me(user)).json().email, email)
    })

    await t.test("a name, and what an admin does to somebody else's account", async (t) => {
      const [admin, user] = [await signUp({ role: 'admin' }), await signUp({ role: 'admin' })]
      await warm(admin, user)
      await send('PATCH', '/users/me', { as: user, payload: { username: 'another-name' } })
      t.equal((await me(user)).json().username, 'another-name')
      const payload = { role: 'user' }
      await send('PATCH', `/users/${user.user.id}`, { as: admin, payload })
      t.equal(await statusOf(user), 401, 'a token of a role that is lost')
      const [inactive, deleted, administered] = [await signUp(), await signUp(), await signUp()]
      await warm(inactive, deleted, administered)
      await send('PATCH', `/users/${inactive.user.id}`, { as: admin, payload: { is_active: false } })
      await send('DELETE', `/users/${deleted.user.id}`, { as: admin })
      const change = { is_active: false, reason }
      await send('PATCH', `/operations/users/${administered.user.id}`, { as: admin, payload: change })
      t.same(
        [await statusOf(inactive), await statusOf(deleted), await statusOf(administered)],
        [401, 401, 401],
      )
    })

    await t.test('sessions that somebody ends', async (t) => {
      const admin = await signUp({ role: 'admin' })
      const users = await Promise.all(Array.from({ length: 6 }, () => signUp()))
      const [left, one, rest, byId, all, administered] = users
      if (!left || !one || !rest || !byId || !all || !administered) throw new Error('six users')
      const kept = await again(rest)
      await warm(kept, ...users)
      await send('POST', '/auth/logout', { as: left })
      await send('DELETE', `/auth/sessions/${one.session_id}`, { as: one })
      await send('DELETE', '/auth/sessions', { as: kept })
      await send('DELETE', `/users/${byId.user.id}/sessions/${byId.session_id}`, { as: admin })
      await send('DELETE', `/users/${all.user.id}/sessions`, { as: admin })
      await send('POST', `/operations/users/${administered.user.id}/sessions/end`, {
        as: admin,
        payload: { reason },
      })
      t.same(await Promise.all(users.map(statusOf)), Array(6).fill(401))
      t.equal(await statusOf(kept), 200)
    })

    await t.test('a refresh token that somebody had used before', async (t) => {
      const user = await signUp()
      const payload = { refresh_token: user.refresh_token }
      await send('POST', '/auth/refresh', { payload })
      await db.query("UPDATE refresh_tokens SET replaced_at = replaced_at - interval '31 seconds'")
      await warm(user)
      t.equal((await request({ method: 'POST', url: '/api/v1/auth/refresh', payload })).statusCode, 401)
      t.equal(await statusOf(user), 401)
    })

    await t.test('an impersonation that is stopped, or whose admin is not an admin any more', async (t) => {
      const [admin, user] = [await signUp({ role: 'admin' }), await signUp()]
      const act = async (as: TestUser) => {
        const payload = { user_id: user.user.id, minutes: 5, reason }
        const response = await send('POST', '/operations/impersonations', { as, payload })
        const { impersonation, tokens } = response.json()
        const acting = { id: impersonation.id, headers: { authorization: `Bearer ${tokens.access_token}` } }
        await warm(acting)
        return acting
      }
      const stopped = await act(admin)
      await send('POST', `/operations/impersonations/${stopped.id}/stop`, { as: admin, payload: { reason } })
      t.equal(await statusOf(stopped), 401, 'stopped')

      const endings: Record<string, (other: TestUser) => Promise<unknown>> = {
        'demoted by another': (other) =>
          send('PATCH', `/users/${other.user.id}`, { as: admin, payload: { role: 'user' } }),
        'demoted by oneself': (other) =>
          send('PATCH', `/users/${other.user.id}`, { as: other, payload: { role: 'user' } }),
        'deactivated by oneself': (other) =>
          send('PATCH', `/users/${other.user.id}`, { as: other, payload: { is_active: false } }),
        'deleted by another': (other) => send('DELETE', `/users/${other.user.id}`, { as: admin }),
        'deleted by oneself': (other) => send('DELETE', '/users/me', { as: other }),
      }
      for (const [name, end] of Object.entries(endings)) {
        const other = await signUp({ role: 'admin' })
        const acting = await act(other)
        await end(other)
        t.equal(await statusOf(acting), 401, name)
      }
    })

    await t.test('a proof of identity', async (t) => {
      const admin = await signUp({ role: 'admin' })
      await db.query(`UPDATE sessions SET authenticated_at = now() - interval '1 day' WHERE id = $1`, [
        admin.session_id,
      ])
      await warm(admin)
      await send('POST', '/auth/reauthenticate', { as: admin, payload: { password: admin.password } })
      const { user } = await signUp()
      const changed = await send('PATCH', `/users/${user.id}`, { as: admin, payload: { role: 'admin' } })
      t.equal(changed.json().role, 'admin')
    })

    await t.test('keys, and their organization', async (t) => {
      const admin = await signUp({ role: 'admin' })
      const tenant = await createOrganization(app)
      const { owner, url } = tenant
      const path = url.replace('/api/v1', '')
      const keys = await Promise.all(Array.from({ length: 4 }, () => tenant.createApiKey()))
      const [revoked, changed, rotated, kept] = keys
      if (!revoked || !changed || !rotated || !kept) throw new Error('four keys')
      const use = async ({ headers }: { headers: { authorization: string } }) =>
        (await app.inject({ url: `${url}/projects`, headers })).statusCode
      t.same(await Promise.all(keys.map(use)), [200, 200, 200, 200])
      await send('DELETE', `${path}/api-keys/${revoked.id}`, { as: owner })
      await send('PATCH', `${path}/api-keys/${changed.id}`, {
        as: owner,
        payload: { scopes: ['members:read'] },
      })
      await send('POST', `${path}/api-keys/${rotated.id}/rotate`, { as: owner, payload: { grace: 0 } })
      t.same(await Promise.all(keys.map(use)), [401, 403, 401, 200])
      await send('POST', `/operations/organizations/${tenant.organization.id}/suspend`, {
        as: admin,
        payload: { reason },
      })
      t.equal(await use(kept), 403)
      await send('POST', `/operations/organizations/${tenant.organization.id}/restore`, {
        as: admin,
        payload: { reason },
      })
      t.equal(await use(kept), 200)
      await send('DELETE', path, { as: owner })
      t.not(await use(kept), 200)
    })

    await t.test('members, and their organization', async (t) => {
      const admin = await signUp({ role: 'admin' })
      const tenant = await createOrganization(app)
      const { owner, url, organization } = tenant
      const path = url.replace('/api/v1', '')
      const operations = `/operations/organizations/${organization.id}`
      const [member, removed, leaver] = [
        await tenant.add('member'),
        await tenant.add('member'),
        await tenant.add('member'),
      ]
      const may = async (as: TestUser, what: string) =>
        (await app.inject({ url: `${url}/${what}`, headers: as.headers })).statusCode
      /** Only owners are asked which version it is that they delete. */
      const mayDelete = async ({ headers }: TestUser) => {
        const old = { ...headers, 'if-match': '"2000-01-01T00:00:00.000Z"' }
        return (await app.inject({ method: 'DELETE', url, headers: old })).statusCode === 412
      }
      for (const as of [owner, member, removed, leaver]) t.equal(await may(as, 'projects'), 200)
      t.equal(await may(member, 'webhooks'), 403)
      await send('PATCH', `${path}/members/${member.user.id}`, { as: owner, payload: { role: 'admin' } })
      t.equal(await may(member, 'webhooks'), 200, 'a role')
      await send('DELETE', `${path}/members/${removed.user.id}`, { as: owner })
      t.equal(await may(removed, 'projects'), 404, 'who is removed')
      await send('POST', `${path}/leave`, { as: leaver })
      t.equal(await may(leaver, 'projects'), 404, 'who leaves')

      t.same([await mayDelete(owner), await mayDelete(member)], [true, false])
      await send('POST', `${path}/ownership`, { as: owner, payload: { user_id: member.user.id } })
      t.same([await mayDelete(owner), await mayDelete(member)], [false, true], 'who owns it')
      await send('POST', `${operations}/owner`, { as: admin, payload: { user_id: owner.user.id, reason } })
      t.same([await mayDelete(owner), await mayDelete(member)], [true, true])

      await send('POST', `${operations}/suspend`, { as: admin, payload: { reason } })
      t.equal(await may(member, 'projects'), 403, 'a suspension')
      await send('POST', `${operations}/restore`, { as: admin, payload: { reason } })
      t.equal(await may(member, 'projects'), 200)
      await send('DELETE', path, { as: owner })
      t.equal(await may(member, 'projects'), 404, 'a deletion')
      await send('POST', `${path}/restore`, { as: owner })
      t.equal(await may(member, 'projects'), 200)
      await send('POST', `${operations}/suspend`, { as: admin, payload: { reason } })
      t.equal(await may(member, 'projects'), 403)
      await send('POST', `${operations}/purge`, { as: admin, payload: { reason } })
      t.equal(await may(member, 'projects'), 404)
    })

    await t.test('an invitation with which an account gets another password', async (t) => {
      const user = await signUp()
      await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [user.user.id])
      await warm(user)
      const tenant = await createOrganization(app)
      const invitation = await tenant.invite(user.user.email)
      const { key } = app.ctx.oneTimeTokens
      const token = invitationToken(key, { ...invitation, org: tenant.organization.id })
      await send('POST', '/invitations/accept', { payload: { token, password: NEW_PASSWORD } })
      t.equal(await statusOf(user), 401)
    })
  },
)
