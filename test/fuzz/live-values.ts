import type { FastifyInstance } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { deriveToken } from '#lib/secrets/secrets.ts'
import type { Webhook } from '#schemas/webhooks.ts'
import { PLATFORM } from '#services/audit/entry.ts'
import { invitationToken } from '#services/invitations/token.ts'
import * as oneTimeTokens from '#services/one-time-tokens/one-time-tokens.ts'
import { ALL_ENTRIES } from '#test/support/audit.ts'
import { createFullFile, quarantinedFile } from '#test/support/files.ts'
import { signUp, type TestUser } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'
import { createUpload } from '#test/support/uploads.ts'
import { OPERATOR_PARAMETERS } from './live-values-of-operators.ts'

/** Who a request is about, and who sends it. */
export interface Situation {
  app: FastifyInstance
  /** The account that the path or the body names. */
  subject: TestUser
  /** Who signs the request; nobody is undefined. */
  actor: TestUser | undefined
}

type Values = Record<string, unknown>

/** The organization of a request: the subject owns it, and so does somebody else, who is `members`. */
export interface Tenant extends TestOrganization {
  readonly second: TestUser
}

const tenants = new WeakMap<Situation, Promise<Tenant>>()

/** Returns the organization that a request of this situation is about. */
export function tenantOf(situation: Situation): Promise<Tenant> {
  const made = tenants.get(situation) ?? createTenant(situation)
  tenants.set(situation, made)
  return made
}

/** Has the requests of a situation be about an organization that is there. */
export function useTenant(situation: Situation, tenant: Tenant): void {
  tenants.set(situation, Promise.resolve(tenant))
}

async function createTenant({ app, subject }: Situation): Promise<Tenant> {
  const tenant = await createOrganization(app, subject)
  return { ...tenant, second: await tenant.add('owner') }
}

const webhooks = new WeakMap<Situation, Promise<Webhook>>()

/** Returns the webhook that a request is about. */
function webhookOf(situation: Situation): Promise<Webhook> {
  const made = webhooks.get(situation) ?? tenantOf(situation).then((tenant) => tenant.createWebhook())
  webhooks.set(situation, made)
  return made
}

/** Where messages may be sent to, and of what. */
const RECEIVER = { url: 'https://hooks.example.com/in', event_types: ['projects.*'] }

/** The file is a text, so there are no smaller copies of it. */
const WHOLE_FILE = () => ({ variant: undefined })

/**
 * Bodies that succeed in a way that no schema can express, by operationId. An operation whose requests succeed when they
 * are made from its schema needs nothing here.
 */
const BODIES: Readonly<Record<string, (situation: Situation) => Values | Promise<Values>>> = {
  acceptInvitation: async (situation) => ({ token: await invitationOf(situation) }),
  createFileLink: WHOLE_FILE,
  createOrganizationFileLink: WHOLE_FILE,
  createWebhook: () => ({ ...RECEIVER }),
  updateWebhook: () => ({ ...RECEIVER }),
  // All that the schema may have added is somebody else's session.
  endAdministeredUserSessions: ({ subject }) => ({ session_id: subject.session_id }),
  // The subject of a request that an admin sends may be that admin.
  startImpersonation: async ({ app }) => ({ user_id: (await signUp(app)).user.id }),
  createInvitation: () => ({ email: `${uuidv7().slice(-12)}@example.com` }),
  declineInvitation: async (situation) => ({ token: await invitationOf(situation) }),
  inspectInvitation: async (situation) => ({ token: await invitationOf(situation) }),
  inviteUser: () => ({ email: `${uuidv7().slice(-12)}@example.com`, username: `user${uuidv7().slice(-12)}` }),
  login: ({ subject }) => ({ email: subject.user.email, password: subject.password }),
  reauthenticate: ({ actor }) => ({ password: actor?.password ?? 'nobody' }),
  refreshTokens: ({ subject }) => ({ refresh_token: subject.refresh_token }),
  resetPassword: async (situation) => ({ token: await mailedToken(situation, 'reset_password') }),
  appointOrganizationOwner: async (situation) => ({ user_id: (await tenantOf(situation)).second.user.id }),
  transferOwnership: async (situation) => ({ user_id: (await tenantOf(situation)).second.user.id }),
  verifyEmail: async (situation) => ({ token: await mailedToken(situation, 'verify_email') }),
}

async function putAvatar({ actor, app, subject }: Situation): Promise<void> {
  const { headers } = actor ?? subject
  await app.inject({ method: 'PUT', url: '/api/v1/users/me/avatar', headers, payload: LIVE_BYTES })
}

/** Steps before a request, by operationId. */
const PREPARATIONS: Readonly<Record<string, (situation: Situation) => Promise<void>>> = {
  getCurrentUserAvatar: putAvatar,
  getCurrentUserAvatarVariant: putAvatar,
  purgeOrganization: async (situation) => {
    const { organization } = await tenantOf(situation)
    await new SystemDatabase(situation.app.db).query({
      name: 'suspendTestOrganization',
      text: 'UPDATE organizations SET suspended_at = now() WHERE id = $1',
      values: [organization.id],
    })
  },
}

/** Parameters of a query of which a request may have one. */
const ALTERNATIVES = ['actor_id', 'action', 'target_id']
/** Parameters that do not go together with the first of them. */
const ALONE = ['admin_id', 'organization_id', ...ALTERNATIVES]

/** The beginning of an image, in characters that JSON has too. */
export const LIVE_BYTES = 'GIF89a'

/** A link to a file of the subject's. */
interface SharedFile {
  readonly id: string
  readonly token: string
}

const sharedFiles = new WeakMap<Situation, Promise<SharedFile>>()

function sharedFileOf(situation: Situation): Promise<SharedFile> {
  const made = sharedFiles.get(situation) ?? shareFile(situation)
  sharedFiles.set(situation, made)
  return made
}

async function shareFile({ app, subject }: Situation): Promise<SharedFile> {
  const file = await createFullFile(app, subject, 'shared')
  const { headers } = subject
  const link = await app.inject({ method: 'POST', url: `${file}/links`, headers, payload: {} })
  const token = new URL(link.json().url).searchParams.get('token')
  return { id: idOf(file), token: String(token) }
}

/** An entry of the service's own log. */
async function platformEntry({ app }: Situation): Promise<string> {
  const [entry] = await new SystemDatabase(app.db).query<{ id: string }>({
    name: 'selectTestAuditEntry',
    text: `SELECT id FROM ${ALL_ENTRIES} e WHERE org_id = $1 ORDER BY id DESC LIMIT 1`,
    values: [PLATFORM],
  })
  if (entry === undefined) throw new Error('nothing was done to accounts')
  return entry.id
}

const idOf = (url: string) => String(url.split('/').at(-1))

/** Query parameters that succeed in a way that no schema can express, by operationId. */
const QUERIES: Readonly<Record<string, (name: string, situation: Situation) => Promise<string | undefined>>> =
  {
    // The entry is the service's own.
    getPlatformAuditEntry: async () => PLATFORM,
    getSharedFile: async (_name, situation) => (await sharedFileOf(situation)).token,
    // One that keys with the scope can hear, too.
    getChannelPresence: async (_name, situation) =>
      `organizations:${(await tenantOf(situation)).organization.id}:projects`,
  }

/** Path parameters, by what stands before them in the path. */
const PARAMETERS: Readonly<Record<string, (situation: Situation, path: string) => string | Promise<string>>> =
  {
    files: async (situation, path) => {
      const content = path.includes('/variants/') ? LIVE_BYTES : 'content'
      if (!path.includes('organization_id'))
        return idOf(await createFullFile(situation.app, situation.subject, content))
      return (await (await tenantOf(situation)).createFile(content)).id
    },
    'direct-uploads': () => uuidv7(),
    uploads: async (situation, path) => {
      if (path.includes('organization_id')) return (await (await tenantOf(situation)).createUpload()).id
      return idOf(await createUpload(situation.app, situation.subject, 10))
    },
    quarantine: ({ app, subject }) => quarantinedFile(app, subject),
    limits: ({ subject }) => subject.user.id,
    'shared-files': async (situation) => (await sharedFileOf(situation)).id,
    users: ({ subject }) => subject.user.id,
    organizations: async (situation) => (await tenantOf(situation)).organization.id,
    invitations: async (situation) => (await (await tenantOf(situation)).invite()).id,
    members: async (situation) => (await tenantOf(situation)).second.user.id,
    'audit-entries': async (situation, path) =>
      path.includes('operations') ? platformEntry(situation) : (await tenantOf(situation)).auditEntry(),
    webhooks: async (situation) => (await webhookOf(situation)).id,
    deliveries: async (situation) =>
      (await (await tenantOf(situation)).createDelivery((await webhookOf(situation)).id)).id,
    'api-keys': async (situation) => (await (await tenantOf(situation)).createApiKey()).id,
    projects: async (situation) => (await (await tenantOf(situation)).createProject()).id,
    sessions: ({ subject }) => subject.session_id,
    ...OPERATOR_PARAMETERS,
  }

/** Headers that succeed, by their names. */
const HEADERS: Readonly<Record<string, string>> = {
  'If-Match': '*',
  'Upload-Checksum': 'sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  'Upload-Length': '0',
  'Upload-Metadata': 'filename YQ==',
  'Upload-Offset': '0',
}

/** Puts what there really is into a body that only has the right shape. */
export async function liveBody(operationId: string, situation: Situation, body: unknown): Promise<unknown> {
  if (typeof body !== 'object' || body === null) return body
  const known = await BODIES[operationId]?.(situation)
  const password = 'current_password' in body && situation.actor
  return { ...body, ...(password ? { current_password: password.password } : {}), ...known }
}

/** The value of a path parameter; undefined where any of its schema will do. */
export async function liveParameter(
  path: string,
  name: string,
  situation: Situation,
): Promise<string | undefined> {
  const segments = path.split('/')
  const collection = segments[segments.indexOf(`{${name}}`) - 1] ?? ''
  return PARAMETERS[collection]?.(situation, path)
}

/** Makes what has to be there before a request. */
export async function prepare(operationId: string, situation: Situation): Promise<void> {
  await PREPARATIONS[operationId]?.(situation)
}

/** A query that succeeds: without what can't be asked together, and with the values that have to exist. */
export async function liveQuery(
  operationId: string,
  query: Values,
  situation: Situation,
): Promise<[name: string, value: string][]> {
  const [, ...others] = ('admin_id' in query ? ALONE : ALTERNATIVES).filter((name) => name in query)
  const asked = Object.entries(query).filter(([name]) => !others.includes(name))
  return Promise.all(
    asked.map(async ([name, value]): Promise<[string, string]> => {
      return [name, (await QUERIES[operationId]?.(name, situation)) ?? String(value)]
    }),
  )
}

export function liveHeader(name: string): string | undefined {
  return HEADERS[name]
}

/** The token of an invitation to somebody who has an account. */
async function invitationOf(situation: Situation): Promise<string> {
  const tenant = await tenantOf(situation)
  const invited = await signUp(situation.app)
  const { id, expires_at } = await tenant.invite(invited.user.email)
  const { key } = situation.app.ctx.oneTimeTokens
  return invitationToken(key, { org: tenant.organization.id, id, expires_at })
}

async function mailedToken({ app, subject }: Situation, purpose: oneTimeTokens.Purpose): Promise<string> {
  const { id } = await oneTimeTokens.issue(app.ctx, { userId: subject.user.id, purpose })
  return deriveToken(app.ctx.oneTimeTokens.key, id)
}
