import type { FastifyInstance, InjectOptions } from 'fastify'
import t from 'tap'
import type { Invitation } from '#schemas/invitations.ts'
import { invitationToken } from '#services/invitations/token.ts'
import { amount } from '#test/support/amount.ts'
import { createTestApp, signUp, type TestUser } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

const ROUNDS = amount({ few: 6, many: 100 })

t.test('of two who race, over two instances, one wins', async (t) => {
  const settings = { APP_TENANCY__MEMBERS_PER_ORGANIZATION: '3', APP_RATE_LIMIT__ENABLED: 'false' }
  const { app, db } = await createTestApp(t, settings)
  const other = await startInstance(t, db, settings)

  /** Sends one request to each instance at once, the first to either of them in turn. */
  async function race(round: number, requests: [InjectOptions, InjectOptions]): Promise<[string, string]> {
    const instances: [FastifyInstance, FastifyInstance] = round % 2 === 0 ? [app, other] : [other, app]
    const [first, second] = await Promise.all([
      instances[0].inject(requests[0]),
      instances[1].inject(requests[1]),
    ])
    const outcomeOf = ({ statusCode, body }: typeof first) =>
      statusCode < 300 ? 'done' : `${statusCode} ${JSON.parse(body).code}`
    return [outcomeOf(first), outcomeOf(second)]
  }

  async function rolesIn({ organization }: TestOrganization): Promise<string[]> {
    const rows = await db.query<{ role: string }>('SELECT role FROM memberships WHERE org_id = $1', [
      organization.id,
    ])
    return rows.map(({ role }) => role).sort()
  }

  const leave = ({ url }: TestOrganization, { headers }: TestUser): InjectOptions => ({
    method: 'POST',
    url: `${url}/leave`,
    headers,
  })
  const demote = ({ url }: TestOrganization, as: TestUser, whom: TestUser): InjectOptions => ({
    method: 'PATCH',
    url: `${url}/members/${whom.user.id}`,
    payload: { role: 'member' },
    headers: as.headers,
  })
  const tokenOf = ({ organization }: TestOrganization, sent: Pick<Invitation, 'id' | 'expires_at'>) =>
    invitationToken(app.ctx.oneTimeTokens.key, { ...sent, org: organization.id })
  async function invite(tenant: TestOrganization) {
    const invited = await signUp(app)
    const sent = await tenant.invite(invited.user.email)
    const payload = { token: tokenOf(tenant, sent) }
    const accept: InjectOptions = { method: 'POST', url: '/api/v1/invitations/accept', payload }
    return { id: sent.id, accept }
  }

  await t.test('two owners leave', async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const tenant = await createOrganization(app)
      const second = await tenant.add('owner')
      const outcomes = await race(round, [leave(tenant, tenant.owner), leave(tenant, second)])
      t.strictSame(outcomes.toSorted(), ['409 last_owner', 'done'])
      t.strictSame(await rolesIn(tenant), ['owner'])
    }
  })

  await t.test('one leaves, and an owner changes the role', async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const tenant = await createOrganization(app)
      const { owner } = tenant
      const [role, payload] =
        round % 4 < 2 ? (['member', { role: 'admin' }] as const) : (['admin', { role: 'member' }] as const)
      const leaving = await tenant.add(role)
      const change = { ...demote(tenant, owner, leaving), payload }
      const [left, changed] = await race(round, [leave(tenant, leaving), change])
      t.equal(left, 'done')
      t.ok(['404 member_not_found', 'done'].includes(changed), changed)
      t.strictSame(await rolesIn(tenant), ['owner'])
    }
  })

  await t.test('two owners demote each other', async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const tenant = await createOrganization(app)
      const { owner } = tenant
      const second = await tenant.add('owner')
      const outcomes = await race(round, [demote(tenant, owner, second), demote(tenant, second, owner)])
      t.strictSame(outcomes.toSorted(), ['403 forbidden', 'done'])
      t.strictSame(await rolesIn(tenant), ['member', 'owner'])
    }
  })

  await t.test('two accept the last seat', async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const tenant = await createOrganization(app)
      await tenant.add('member')
      const [one, two] = [await invite(tenant), await invite(tenant)]
      const outcomes = await race(round, [one.accept, two.accept])
      t.strictSame(outcomes.toSorted(), ['409 member_limit_reached', 'done'])
      t.equal((await rolesIn(tenant)).length, 3)
    }
  })

  await t.test('one accepts, and an owner revokes', async (t) => {
    const gone = '404 invitation_not_found'
    for (let round = 0; round < ROUNDS; round++) {
      const tenant = await createOrganization(app)
      const { id, accept } = await invite(tenant)
      const url = `${tenant.url}/invitations/${id}`
      const outcomes = await race(round, [accept, { method: 'DELETE', url, headers: tenant.owner.headers }])
      t.strictSame(outcomes.toSorted(), [gone, 'done'])
      t.strictSame(await rolesIn(tenant), outcomes[0] === 'done' ? ['member', 'owner'] : ['owner'])
    }
  })

  await t.test('one is accepted twice', async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const tenant = await createOrganization(app)
      const { accept } = await invite(tenant)
      const outcomes = await race(round, [accept, accept])
      t.strictSame(outcomes.toSorted(), ['404 invitation_not_found', 'done'])
      t.strictSame(await rolesIn(tenant), ['member', 'owner'])
    }
  })

  await t.test('one accepts, and the sender is demoted', async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const tenant = await createOrganization(app)
      const [admin, invited] = [await tenant.add('admin'), await signUp(app)]
      const payload = { email: invited.user.email, role: 'admin' }
      const url = `${tenant.url}/invitations`
      const sent = (await app.inject({ method: 'POST', url, payload, headers: admin.headers })).json()
      const accept: InjectOptions = {
        method: 'POST',
        url: '/api/v1/invitations/accept',
        payload: { token: tokenOf(tenant, sent) },
      }
      const [accepted, demoted] = await race(round, [accept, demote(tenant, tenant.owner, admin)])
      t.equal(demoted, 'done')
      t.ok(['404 invitation_not_found', 'done'].includes(accepted), accepted)
      const roles = ['member', 'owner']
      t.strictSame(await rolesIn(tenant), accepted === 'done' ? ['admin', ...roles] : roles)
    }
  })
})
