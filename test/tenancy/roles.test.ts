import t from 'tap'
import type { MemberRole } from '#schemas/organizations.ts'
import { PERMISSIONS } from '#services/members/permissions.ts'
import { rightPlan } from '#test/authorization/right-plan.ts'
import { operationsOf } from '#test/contract/document.ts'
import { useTenant } from '#test/fuzz/live-values.ts'
import { fuzzedOperations } from '#test/fuzz/operations.ts'
import { draftRequest } from '#test/fuzz/plans.ts'
import { injectOptions } from '#test/fuzz/request.ts'
import { SchemaValues } from '#test/fuzz/schema-values.ts'
import { createWorld } from '#test/fuzz/world.ts'
import { isWanted } from '#test/support/only.ts'
import { createOrganization } from '#test/support/organizations.ts'

const ROLES: readonly MemberRole[] = ['member', 'admin', 'owner']

/** The least role of each operation. A new operation below an organization needs its line here. */
const LEAST: Readonly<Record<string, MemberRole>> = {
  createInvitation: 'admin',
  createApiKey: 'admin',
  createProject: 'member',
  createWebhook: 'admin',
  deleteWebhook: 'admin',
  getWebhook: 'admin',
  getWebhookDelivery: 'admin',
  getWebhookSecret: 'admin',
  listWebhookDeliveries: 'admin',
  listWebhooks: 'admin',
  recoverWebhookDeliveries: 'admin',
  retryWebhookDelivery: 'admin',
  rotateWebhookSecret: 'admin',
  testWebhook: 'admin',
  updateWebhook: 'admin',
  createOrganizationFile: 'member',
  createOrganizationFileWithContent: 'member',
  createOrganizationFileLink: 'member',
  deleteOrganizationFile: 'member',
  getOrganizationFile: 'member',
  getOrganizationFileContent: 'member',
  getOrganizationFileVariant: 'member',
  getOrganizationStorageUsage: 'member',
  listOrganizationFiles: 'member',
  putOrganizationFileContent: 'member',
  restoreOrganizationFile: 'member',
  updateOrganizationFile: 'member',
  appendOrganizationUpload: 'member',
  completeOrganizationUpload: 'member',
  createDirectOrganizationUpload: 'member',
  signOrganizationUploadParts: 'member',
  createOrganizationUpload: 'member',
  deleteOrganizationUpload: 'member',
  getOrganizationUpload: 'member',
  deleteInvitation: 'admin',
  deleteOrganization: 'owner',
  deleteProject: 'admin',
  exportAuditEntries: 'admin',
  getAuditEntry: 'admin',
  getAuditHead: 'admin',
  getInvitation: 'admin',
  getApiKey: 'admin',
  getChannelPresence: 'member',
  getMember: 'member',
  getOrganization: 'member',
  getProject: 'member',
  leaveOrganization: 'member',
  listAuditEntries: 'admin',
  listInvitations: 'admin',
  listApiKeys: 'admin',
  listMembers: 'member',
  listProjects: 'member',
  removeMember: 'admin',
  resendInvitation: 'admin',
  restoreOrganization: 'owner',
  revokeApiKey: 'admin',
  rotateApiKey: 'admin',
  transferOwnership: 'owner',
  updateApiKey: 'admin',
  updateMember: 'admin',
  updateOrganization: 'admin',
  updateProject: 'member',
}

/** Parts of bodies with which they are right for each role that may send them. */
const BODIES: Readonly<Record<string, object>> = {
  createInvitation: { role: 'member' },
  createWebhook: { url: 'https://hooks.example.com/', event_types: ['*'] },
  updateWebhook: { enabled: true },
  updateMember: { role: 'member' },
}

/** Operations of a store that takes bytes from clients. The one here does not, so callers who may get 404. */
const NOT_HERE: ReadonlySet<string> = new Set([
  ...['completeOrganizationUpload', 'createDirectOrganizationUpload', 'signOrganizationUploadParts'],
])

t.test('which member may do what', async (t) => {
  const { app, document } = await createWorld(t)
  const values = new SchemaValues(document)
  const permissions = new Map(
    operationsOf(document).map(({ operation }) => [
      String(operation.operationId),
      Object(operation)['x-permission'],
    ]),
  )
  const operations = fuzzedOperations(document).filter(({ path }) => path.includes('{organization_id}'))

  t.test('the document says so too', async (t) => {
    t.strictSame(operations.map(({ id }) => id).sort(), Object.keys(LEAST).sort())
    for (const [id, least] of Object.entries(LEAST)) {
      const permission: keyof typeof PERMISSIONS = permissions.get(id)
      t.equal(PERMISSIONS[permission], least, id)
    }
  })

  for (const operation of operations.filter(({ id }) => isWanted(id))) {
    t.test(operation.id, async (t) => {
      for (const role of ROLES) {
        const tenant = await createOrganization(app)
        const [actor, other] = [await tenant.add(role), await tenant.add('member')]
        const situation = { app, subject: tenant.owner, actor }
        useTenant(situation, { ...tenant, second: other })
        const draft = await draftRequest(operation, rightPlan(operation, values, 1), situation)
        const body = BODIES[operation.id] ? { ...Object(draft.body), ...BODIES[operation.id] } : draft.body
        const { authorization } = actor.headers
        const { statusCode } = await app.inject(injectOptions({ ...draft, body }, authorization))
        const may = ROLES.indexOf(role) >= ROLES.indexOf(LEAST[operation.id] ?? 'owner')
        const isLetIn = statusCode < 300 || (NOT_HERE.has(operation.id) && statusCode === 404)
        t.equal(isLetIn, may, `${role}: ${statusCode}`)
        if (!may) t.equal(statusCode, 403)
      }
    })
  }
})
