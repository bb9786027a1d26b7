// Among the first, because the page takes seconds for each operation.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { invitationToken } from '#services/invitations/token.ts'
import { type Document, operationsOf } from '#test/contract/document.ts'
import { startChromium, withoutChromium } from '#test/support/chromium.ts'
import { quarantinedFile } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'
import { listen } from '#test/support/raw-http.ts'
import { type Entry, KEEP_UI, SwaggerUi } from './swagger-ui.ts'
import { executeOperations } from './swagger-ui-operations.ts'
import { drawsChanges, fitsAPhone } from './swagger-ui-page.ts'

const PASSWORD = 'correct horse battery staple'

t.test(
  'every operation works in Swagger UI as the page fills it in',
  { skip: withoutChromium },
  async (t) => {
    const { app, request, signUp } = await createTestApp(t, {
      APP_CORS__ALLOWED_ORIGINS: '',
      APP_JWT__EXPIRES_IN: '2h',
    })
    const document: Document = JSON.parse((await request({ url: '/docs/json' })).body)
    const port = await listen(app)
    // Scripts run too briefly in each of the pages to repay their optimization.
    const browser = await startChromium(t, ['--js-flags=--no-opt'])
    const page = await browser.newPage()
    page.setDefaultTimeout(120_000)
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.addInitScript(KEEP_UI)
    // Not the name that the service calls itself by.
    await page.goto(`http://localhost:${port}/docs`)
    await page.locator('.opblock-tag').first().waitFor()
    const ui = new SwaggerUi(page, document)

    async function expect(operationId: string, status: number, entry?: Entry) {
      let answer = await ui.execute(operationId, entry)
      // A proof of who one is lasts ten minutes, which is less than a slow machine takes.
      if (answer.text.includes('reauthentication_required')) {
        const url = '/api/v1/auth/reauthenticate'
        const headers = { authorization: ui.authorization }
        await request({ method: 'POST', url, headers, payload: { password: PASSWORD } })
        answer = await ui.execute(operationId, entry)
      }
      t.equal(answer.status, status, `${operationId} ${answer.text.slice(0, 300)}`)
      t.ok(answer.url.startsWith(`http://localhost:${port}/`), 'it calls where the page came from')
      return answer.text
    }
    const logIn = async () => {
      const payload = { email: 'ada@example.com', password: PASSWORD }
      return (await request({ method: 'POST', url: '/api/v1/auth/login', payload })).json()
    }

    for (const id of ['getLiveness', 'getReadiness', 'getHealth', 'getMetrics', 'getJsonWebKeySet']) {
      await expect(id, 200)
    }
    const ada = JSON.parse(await expect('createUser', 201))
    const { refresh_token } = JSON.parse(await expect('login', 200))
    await expect('refreshTokens', 200, { body: { refresh_token } })
    await expect('forgotPassword', 202)
    await expect('resendVerification', 202)
    // The token would be in a mail.
    await expect('verifyEmail', 400)
    await expect('resetPassword', 400)
    await expect('createUser', 409)

    await ui.authorize((await signUp({ role: 'admin' })).headers.authorization)
    const users = JSON.parse(await expect('listUsers', 200))
    t.equal(users.data.length, 2, 'no filter is filled in')
    await expect('getUser', 200, { params: { id: ada.id } })
    await expect('updateUser', 200, { params: { id: ada.id } })
    const grace = JSON.parse(await expect('inviteUser', 201))
    await logIn()
    const { data } = JSON.parse(await expect('listUserSessions', 200, { params: { id: ada.id } }))
    await expect('endUserSession', 204, { params: { id: ada.id, session_id: data[0].id } })
    await expect('endUserSessions', 204, { params: { id: ada.id } })
    await expect('deleteUser', 204, { params: { id: grace.id } })
    await expect('getLogLevels', 200)
    await expect('changeLogLevels', 200)

    await logIn()
    await ui.authorize(`Bearer ${(await logIn()).access_token}`)
    await expect('getCurrentUser', 200)
    await expect('reauthenticate', 200, { body: { password: PASSWORD } })
    await expect('updateCurrentUser', 200)
    const sessions = JSON.parse(await expect('listCurrentUserSessions', 200)).data
    const other = sessions.find((session: { is_current: boolean }) => !session.is_current)
    await expect('endSession', 204, { params: { id: other.id } })
    await expect('endOtherSessions', 204)
    await expect('changePassword', 204)
    await expect('logout', 204)
    await ui.authorize(`Bearer ${(await logIn()).access_token}`)
    await expect('deleteCurrentUser', 204)

    const tenant = await createOrganization(app)
    await ui.authorize(tenant.owner.headers.authorization)
    await executeInvitations(app, tenant, expect)
    await executeApiKeys(tenant, expect)
    await executeWebhooks(tenant, expect)
    await executeFiles('File', {}, expect)
    await executeFiles('OrganizationFile', { organization_id: tenant.organization.id }, expect)
    await executeUploads('Upload', {}, expect)
    await executeUploads('OrganizationUpload', { organization_id: tenant.organization.id }, expect)
    for (const operation of ['setCurrentUserAvatar', 'getCurrentUserAvatar']) await expect(operation, 200)
    await expect('getCurrentUserAvatarVariant', 202, { params: { name: 'thumbnail' } })
    const { id } = tenant.organization
    const channel = `organizations:${id}:projects`
    await expect('getChannelPresence', 200, { params: { organization_id: id, channel } })
    await executeOrganizations(tenant, expect)
    await ui.authorize((await signUp({ role: 'admin' })).headers.authorization)
    await expect('listAdministeredOrganizations', 200)
    await expect('listEventTypes', 200)
    // A stream would go on for minutes.
    await expect('streamRealtimeEvents', 404, { params: { channels: `user:${randomUUID()}` } })
    for (const operation of ['listPlatformAuditEntries', 'exportPlatformAuditEntries'])
      await expect(operation, 200)
    const ofTenant = { id: await tenant.auditEntry(), organization_id: tenant.organization.id }
    await expect('getPlatformAuditEntry', 200, { params: ofTenant })
    await expect('listQuarantinedFiles', 200)
    const quarantined = { id: await quarantinedFile(app, tenant.owner) }
    await expect('releaseQuarantinedFile', 204, { params: quarantined })
    for (const operation of ['getStorageLimit', 'updateStorageLimit'])
      await expect(operation, 200, { params: { id: tenant.organization.id } })
    for (const operation of [
      'suspendOrganization',
      'restoreSuspendedOrganization',
      'getAdministeredOrganization',
    ])
      await expect(operation, 200, { params: { id: tenant.organization.id } })
    const { user } = await tenant.add('member')
    await expect('appointOrganizationOwner', 200, {
      params: { id: tenant.organization.id },
      body: { user_id: user.id, reason: 'Ticket 4711' },
    })
    await expect('listFailingWebhooks', 200)
    await executeOperations(app, tenant.owner.user.id, expect)
    await expect('suspendOrganization', 200, { params: { id: tenant.organization.id } })
    await expect('purgeOrganization', 202, { params: { id: tenant.organization.id } })
    const { headers } = await (await createOrganization(app)).createApiKey()
    await ui.authorize(headers.authorization, 'apiKey')
    await expect('getCurrentApiKey', 200)

    const all = operationsOf(document).map(({ operation }) => operation.operationId)
    t.strictSame([...new Set(ui.executed)].sort(), all.sort(), 'every operation was executed')
    t.strictSame(errors, [])
    await page.close()
    const url = `http://localhost:${port}/docs`
    await t.test('what is entered has no text drawn again', (t) => drawsChanges(t, browser, url))
    await t.test('the page fits a phone', (t) => fitsAPhone(t, browser, url))
  },
)

/** Executes the operations of organizations, signed in as the owner of one. */
async function executeOrganizations(
  { organization, add, auditEntry }: TestOrganization,
  expect: (operationId: string, status: number, entry?: Entry) => Promise<string>,
): Promise<void> {
  const made = JSON.parse(await expect('createOrganization', 201))
  await expect('updateOrganization', 200, { params: { organization_id: made.id } })
  await expect('listOrganizations', 200)
  const params = { organization_id: organization.id }
  await expect('getOrganization', 200, { params })
  const { id } = JSON.parse(await expect('createProject', 201, { params }))
  await expect('listProjects', 200, { params })
  for (const operation of ['getProject', 'updateProject'])
    await expect(operation, 200, { params: { ...params, id } })
  await expect('deleteProject', 204, { params: { ...params, id } })
  for (const operation of ['listAuditEntries', 'exportAuditEntries', 'getAuditHead'])
    await expect(operation, 200, { params })
  await expect('getAuditEntry', 200, { params: { ...params, id: await auditEntry() } })
  const [successor, other] = [(await add('member')).user.id, (await add('member')).user.id]
  await expect('listMembers', 200, { params })
  for (const operation of ['getMember', 'updateMember'])
    await expect(operation, 200, { params: { ...params, user_id: other } })
  await expect('removeMember', 204, { params: { ...params, user_id: other } })
  await expect('deleteOrganization', 204, { params })
  await expect('restoreOrganization', 200, { params })
  await expect('transferOwnership', 200, { params, body: { user_id: successor } })
  await expect('leaveOrganization', 204, { params })
}

/** Executes the operations of invitations, signed in as the owner of an organization. */
async function executeInvitations(
  app: FastifyInstance,
  { organization }: TestOrganization,
  expect: (operationId: string, status: number, entry?: Entry) => Promise<string>,
): Promise<void> {
  const { key } = app.ctx.oneTimeTokens
  const params = { organization_id: organization.id }
  const invite = async () => {
    const { id, expires_at } = JSON.parse(
      await expect('createInvitation', 201, { params, body: { email: 'grace@example.com', role: 'member' } }),
    )
    return { id, token: invitationToken(key, { org: organization.id, id, expires_at }) }
  }
  const { id } = await invite()
  await expect('listInvitations', 200, { params })
  for (const operation of ['getInvitation', 'resendInvitation'])
    await expect(operation, 200, { params: { ...params, id } })
  await expect('deleteInvitation', 204, { params: { ...params, id } })
  await expect('declineInvitation', 204, { body: { token: (await invite()).token } })
  const { token } = await invite()
  await expect('inspectInvitation', 200, { body: { token } })
  await expect('acceptInvitation', 200, { body: { token, username: 'hopper', password: PASSWORD } })
  await expect('listCurrentUserInvitations', 200)
}

/** Executes the operations of API keys that people may do. */
async function executeApiKeys(
  { organization }: TestOrganization,
  expect: (operationId: string, status: number, entry?: Entry) => Promise<string>,
): Promise<void> {
  const inside = { organization_id: organization.id }
  const body = { name: 'Export', scopes: ['projects:read'] }
  const { id } = JSON.parse(await expect('createApiKey', 201, { params: inside, body }))
  await expect('listApiKeys', 200, { params: inside })
  const params = { ...inside, id }
  await expect('getApiKey', 200, { params })
  await expect('updateApiKey', 200, { params, body: { name: 'Nightly export' } })
  await expect('rotateApiKey', 201, { params, body: { grace: 60 } })
  await expect('revokeApiKey', 204, { params })
}

/** Executes the operations of webhooks. */
async function executeWebhooks(
  tenant: TestOrganization,
  expect: (operationId: string, status: number, entry?: Entry) => Promise<string>,
): Promise<void> {
  const inside = { organization_id: tenant.organization.id }
  const body = { url: 'https://hooks.example.com/in', event_types: ['projects.*'] }
  const { id } = JSON.parse(await expect('createWebhook', 201, { params: inside, body }))
  await expect('listWebhooks', 200, { params: inside })
  const params = { ...inside, id }
  await expect('getWebhook', 200, { params })
  await expect('updateWebhook', 200, { params, body: { description: 'Ledger' } })
  await expect('getWebhookSecret', 200, { params })
  await expect('rotateWebhookSecret', 200, { params, body: { grace: 60 } })
  await expect('testWebhook', 201, { params })
  const delivery = { ...params, delivery_id: (await tenant.createDelivery(id)).id }
  await expect('listWebhookDeliveries', 200, { params })
  await expect('getWebhookDelivery', 200, { params: delivery })
  await expect('retryWebhookDelivery', 200, { params: delivery })
  await expect('recoverWebhookDeliveries', 200, { params, body: { since: '2026-01-01T00:00:00.000Z' } })
  await expect('deleteWebhook', 204, { params })
}

/** Executes the operations of one's own files, or of an organization's. */
async function executeFiles(
  name: 'File' | 'OrganizationFile',
  inside: Record<string, string>,
  expect: (operationId: string, status: number, entry?: Entry) => Promise<string>,
): Promise<void> {
  const { id } = JSON.parse(await expect(`create${name}`, 201, { params: inside }))
  await expect(`create${name}WithContent`, 201, { params: { ...inside, name: 'image.gif' } })
  const params = { ...inside, id }
  for (const operation of [`put${name}Content`, `get${name}Content`, `get${name}`, `update${name}`])
    await expect(operation, 200, { params })
  await expect(`get${name}Variant`, 202, { params: { ...params, name: 'thumbnail' } })
  const { url } = JSON.parse(await expect(`create${name}Link`, 200, { params, body: {} }))
  const token = new URL(url).searchParams.get('token') ?? ''
  await expect('getSharedFile', 200, { params: { id, token } })
  await expect(`list${name}s`, 200, { params: inside })
  await expect(`get${name.replace('File', 'Storage')}Usage`, 200, { params: inside })
  await expect(`delete${name}`, 204, { params })
  await expect(`restore${name}`, 200, { params })
}

/** Executes the operations of uploads to one's own files, or to an organization's. */
async function executeUploads(
  name: 'Upload' | 'OrganizationUpload',
  inside: Record<string, string>,
  expect: (operationId: string, status: number, entry?: Entry) => Promise<string>,
): Promise<void> {
  const begin = async () => {
    const entry = { params: inside, headers: { 'Upload-Length': '6' } }
    const { id } = JSON.parse(await expect(`create${name}`, 201, entry))
    return { ...inside, id }
  }
  const params = await begin()
  await expect(`get${name}`, 200, { params })
  // The store is local.
  await expect(`createDirect${name}`, 404, { params: inside })
  await expect(`sign${name}Parts`, 404, { params })
  await expect(`complete${name}`, 404, { params })
  await expect(`append${name}`, 204, { params, headers: { 'Upload-Offset': '0' }, bytes: true })
  await expect(`delete${name}`, 204, { params: await begin() })
}
