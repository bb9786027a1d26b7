import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
import { API_KEY_SCOPES, type CreateApiKey, type NewApiKey } from '#schemas/api-keys.ts'
import type { File } from '#schemas/files.ts'
import type { Invitation } from '#schemas/invitations.ts'
import type { MemberRole, Organization } from '#schemas/organizations.ts'
import type { Project } from '#schemas/projects.ts'
import type { Webhook } from '#schemas/webhooks.ts'
import * as apiKeys from '#services/api-keys/api-keys.ts'
import * as audit from '#services/audit/audit.ts'
import { write } from '#services/files/content.ts'
import * as files from '#services/files/files.ts'
import * as invitations from '#services/invitations/invitations.ts'
import * as memberRecords from '#services/members/records.ts'
import * as organizations from '#services/organizations/organizations.ts'
import * as projects from '#services/projects/projects.ts'
import * as uploads from '#services/uploads/uploads.ts'
import * as deliveryQueries from '#services/webhooks/queries-of-deliveries.ts'
import * as webhooks from '#services/webhooks/webhooks.ts'
import { signUp, type TestUser } from './helper.ts'

/** A key of a test. */
export interface TestApiKey extends NewApiKey {
  /** To be sent with requests. */
  readonly headers: { readonly authorization: string }
}

/** An organization of a test. */
export interface TestOrganization {
  readonly organization: Organization
  readonly owner: TestUser
  /** Below this are its routes. */
  readonly url: string
  /** Adds a user as a member; without one, a new user. */
  add(role: MemberRole, user?: TestUser): Promise<TestUser>
  createProject(name?: string): Promise<Project>
  /** Creates a file with content. */
  createFile(name?: string): Promise<File>
  /** Begins an upload of ten bytes. */
  createUpload(name?: string): Promise<{ id: string }>
  /** Invites an address; without one, that of nobody. */
  invite(email?: string, role?: MemberRole): Promise<Invitation>
  /** Creates a key; with the scopes that are given, or with all. */
  createApiKey(input?: Partial<CreateApiKey>): Promise<TestApiKey>
  /** Has something done that the audit log tells; returns the entry's id. */
  auditEntry(): Promise<string>
  /** Creates a webhook, whose receiver refuses connections. */
  createWebhook(): Promise<Webhook>
  /** Creates a delivery that a webhook's receiver has taken. */
  createDelivery(webhookId: string): Promise<{ id: string }>
  /** Lets a key have expired. */
  expire(keyId: string): Promise<void>
}

/** Makes an organization; without an owner, a new user is its owner. */
export async function createOrganization(app: FastifyInstance, owner?: TestUser): Promise<TestOrganization> {
  const first = owner ?? (await signUp(app))
  const name = `Organization ${uuidv7().slice(-12)}`
  // Some tests need more of them than a person may have.
  const invitationSettings = { ...app.ctx.invitations, mailsPerAddress: 1_000_000 }
  const ctx = {
    ...app.ctx,
    invitations: invitationSettings,
    tenancy: { ...app.ctx.tenancy, perUser: 1_000_000 },
    apiKeysPerOrganization: 1_000_000,
  }
  const organization = await organizations.create(ctx, first.user, { name })
  const own = memberRecords.forNewOrganization(ctx, organization.id, first.user.id)
  return {
    organization,
    owner: first,
    url: `/api/v1/organizations/${organization.id}`,
    async add(role, user) {
      const member = user ?? (await signUp(app))
      await transaction(own, (tx) => memberRecords.add(tx, member.user.id, role))
      return member
    },
    invite: (email = `${uuidv7().slice(-12)}@example.com`, role = 'member') =>
      invitations.create(own, { email, role }),
    async createFile(fileName = `File ${uuidv7().slice(-12)}`) {
      const space = { ...own, author: first.user.id }
      const { id } = await files.create(space, { name: fileName })
      const content = Buffer.from(fileName)
      return write(space, id, { pieces: Readable.from([content]), length: content.length }, undefined)
    },
    createUpload(name = 'upload') {
      const space = { ...own, author: first.user.id }
      return uploads.create(space, { name, length: 10, metadata: undefined, part: undefined })
    },
    createProject: (projectName = `Project ${uuidv7().slice(-12)}`) =>
      projects.create(own, { name: projectName }),
    async createApiKey(input) {
      const key = await apiKeys.create(own, { name: 'A key', scopes: [...API_KEY_SCOPES], ...input })
      return { ...key, headers: { authorization: `Bearer ${key.key}` } }
    },
    async auditEntry() {
      await projects.create(own, { name: `Project ${uuidv7().slice(-12)}` })
      const { data } = await audit.list(own, { limit: 1 })
      return data[0]?.id ?? ''
    },
    createWebhook: () => webhooks.create(own, { url: 'http://127.0.0.1:9/in', event_types: ['projects.*'] }),
    async createDelivery(webhookId) {
      const id = uuidv7()
      const row = { org_id: organization.id, id, endpoint_id: webhookId, event_id: uuidv7(), body: '{}' }
      await deliveryQueries.insertDeliveries(own.db, [
        { ...row, event_type: 'projects.created', state: 'pending' },
      ])
      const attempt = { number: 1, attempted_at: new Date().toISOString(), duration_ms: 9, status: 204 }
      const made = { ...attempt, error: null, excerpt: null, state: 'delivered', next: undefined } as const
      await deliveryQueries.recordAttempt(own.db, id, made)
      return { id }
    },
    async expire(keyId) {
      await own.db.query({
        name: 'expireApiKey',
        text: "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE org_id = $1 AND id = $2",
        values: [organization.id, keyId],
      })
    },
  }
}
