import type { LightMyRequestResponse } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { invitationToken } from '#services/invitations/token.ts'
import type { TestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

/** Does the operation; what it needs is made before, so that only the operation itself meets the failing commit. */
export type Prepare = (app: TestApp) => Promise<() => Promise<LightMyRequestResponse | undefined>>

const PASSWORD = 'another good long passphrase'

const unique = () => uuidv7().slice(-12)

/** Operations of organizations and invitations, by their operationId. */
export const ORGANIZATION_OPERATIONS: Readonly<Record<string, Prepare>> = {
  createOrganization: async ({ request, signUp }) => {
    const as = await signUp()
    const headers = { 'idempotency-key': uuidv7() }
    const payload = { name: 'Analytical Engines' }
    return () => request({ method: 'POST', url: '/api/v1/organizations', as, payload, headers })
  },
  updateOrganization: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    const payload = { name: 'Difference Engines' }
    return () => app.request({ method: 'PATCH', url, as, payload })
  },
  deleteOrganization: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    return () => app.request({ method: 'DELETE', url, as })
  },
  restoreOrganization: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    await app.request({ method: 'DELETE', url, as })
    return () => app.request({ method: 'POST', url: `${url}/restore`, as })
  },
  transferOwnership: async (app) => {
    const { url, owner: as, add } = await createOrganization(app.app)
    const payload = { user_id: (await add('member')).user.id }
    return () => app.request({ method: 'POST', url: `${url}/ownership`, as, payload })
  },
  leaveOrganization: async (app) => {
    const { url, add } = await createOrganization(app.app)
    const as = await add('member')
    return () => app.request({ method: 'POST', url: `${url}/leave`, as })
  },
  updateMember: async (app) => {
    const { url, owner: as, add } = await createOrganization(app.app)
    const { user } = await add('member')
    const payload = { role: 'admin' }
    return () => app.request({ method: 'PATCH', url: `${url}/members/${user.id}`, as, payload })
  },
  removeMember: async (app) => {
    const { url, owner: as, add } = await createOrganization(app.app)
    const { user } = await add('member')
    return () => app.request({ method: 'DELETE', url: `${url}/members/${user.id}`, as })
  },
  createInvitation: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    const payload = { email: `${unique()}@example.com`, role: 'member' }
    return () => app.request({ method: 'POST', url: `${url}/invitations`, as, payload })
  },
  resendInvitation: async (app) => {
    const { url, owner: as, invite } = await createOrganization(app.app)
    const { id } = await invite()
    return () => app.request({ method: 'POST', url: `${url}/invitations/${id}/resend`, as })
  },
  deleteInvitation: async (app) => {
    const { url, owner: as, invite } = await createOrganization(app.app)
    const { id } = await invite()
    return () => app.request({ method: 'DELETE', url: `${url}/invitations/${id}`, as })
  },
  'acceptInvitation: by a new account': async (app) => {
    const payload = { token: await invitation(app), username: unique(), password: PASSWORD }
    return () => app.request({ method: 'POST', url: '/api/v1/invitations/accept', payload })
  },
  'acceptInvitation: by an account that was not confirmed': async (app) => {
    const { user } = await app.signUp()
    await app.db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [user.id])
    const payload = { token: await invitation(app, user.email), password: PASSWORD }
    return () => app.request({ method: 'POST', url: '/api/v1/invitations/accept', payload })
  },
  declineInvitation: async (app) => {
    const payload = { token: await invitation(app) }
    return () => app.request({ method: 'POST', url: '/api/v1/invitations/decline', payload })
  },
  createProject: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    const headers = { 'idempotency-key': uuidv7() }
    const payload = { name: 'Mill' }
    return () => app.request({ method: 'POST', url: `${url}/projects`, as, payload, headers })
  },
  updateProject: async (app) => {
    const { url, owner: as, createProject } = await createOrganization(app.app)
    const { id } = await createProject()
    return () =>
      app.request({ method: 'PATCH', url: `${url}/projects/${id}`, as, payload: { name: 'Store' } })
  },
  deleteProject: async (app) => {
    const { url, owner: as, createProject } = await createOrganization(app.app)
    const { id } = await createProject()
    return () => app.request({ method: 'DELETE', url: `${url}/projects/${id}`, as })
  },
  createWebhook: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    const headers = { 'idempotency-key': uuidv7() }
    const payload = { url: 'https://hooks.example.com/in', event_types: ['projects.*'] }
    return () => app.request({ method: 'POST', url: `${url}/webhooks`, as, payload, headers })
  },
  updateWebhook: async (app) => {
    const { url, as } = await webhook(app)
    return () => app.request({ method: 'PATCH', url, as, payload: { description: 'Ledger' } })
  },
  deleteWebhook: async (app) => {
    const { url, as } = await webhook(app)
    return () => app.request({ method: 'DELETE', url, as })
  },
  rotateWebhookSecret: async (app) => {
    const { url, as } = await webhook(app)
    return () => app.request({ method: 'POST', url: `${url}/rotate`, as, payload: { grace: 60 } })
  },
  testWebhook: async (app) => {
    const { url, as } = await webhook(app)
    const headers = { 'idempotency-key': uuidv7() }
    return () => app.request({ method: 'POST', url: `${url}/test`, as, headers })
  },
  retryWebhookDelivery: async (app) => {
    const { url, as, delivery } = await webhook(app)
    return () => app.request({ method: 'POST', url: `${url}/deliveries/${delivery}/retry`, as })
  },
  recoverWebhookDeliveries: async (app) => {
    const { url, as, delivery } = await webhook(app)
    await app.db.querySuper("UPDATE webhook_deliveries SET state = 'skipped' WHERE id = $1", [delivery])
    const payload = { since: '2026-01-01T00:00:00.000Z' }
    return () => app.request({ method: 'POST', url: `${url}/recover`, as, payload })
  },
  createApiKey: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    const headers = { 'idempotency-key': uuidv7() }
    const payload = { name: 'Export', scopes: ['projects:read'] }
    return () => app.request({ method: 'POST', url: `${url}/api-keys`, as, payload, headers })
  },
  updateApiKey: async (app) => {
    const { url, owner: as, createApiKey } = await createOrganization(app.app)
    const { id } = await createApiKey()
    const payload = { is_disabled: true }
    return () => app.request({ method: 'PATCH', url: `${url}/api-keys/${id}`, as, payload })
  },
  rotateApiKey: async (app) => {
    const { url, owner: as, createApiKey } = await createOrganization(app.app)
    const { id } = await createApiKey()
    const headers = { 'idempotency-key': uuidv7() }
    const payload = { grace: 60 }
    return () => app.request({ method: 'POST', url: `${url}/api-keys/${id}/rotate`, as, payload, headers })
  },
  revokeApiKey: async (app) => {
    const { url, owner: as, createApiKey } = await createOrganization(app.app)
    const { id } = await createApiKey()
    return () => app.request({ method: 'DELETE', url: `${url}/api-keys/${id}`, as })
  },
}

async function webhook({ app }: TestApp) {
  const tenant = await createOrganization(app)
  const { id } = await tenant.createWebhook()
  const { id: delivery } = await tenant.createDelivery(id)
  return { url: `${tenant.url}/webhooks/${id}`, as: tenant.owner, delivery }
}

/** The token of an invitation. */
async function invitation({ app }: TestApp, email?: string): Promise<string> {
  const { organization, invite } = await createOrganization(app)
  const { id, expires_at } = await invite(email)
  return invitationToken(app.ctx.oneTimeTokens.key, { org: organization.id, id, expires_at })
}
