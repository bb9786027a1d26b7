import type { FastifyInstance } from 'fastify'
import type { Browser, Locator, Page, Request } from 'playwright-core'
import t, { type Test } from 'tap'
import { invitationToken } from '#services/invitations/token.ts'
import { type Document, member, operationsOf, type PlacedOperation } from '#test/contract/document.ts'
import { startChromium, withoutChromium } from '#test/support/chromium.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'
import { listen } from '#test/support/raw-http.ts'

const PASSWORD = 'correct horse battery staple'

/** Values that a person has to enter: parameters, and secret tokens. */
interface Entry {
  params?: Record<string, string>
  body?: object
}

/** Clicks without moving the page to it first, which takes a slow machine seconds each time. */
async function press(locator: Locator): Promise<void> {
  await locator.dispatchEvent('click')
}

/** Keeps the page's own object, from which can be told what it has resolved. */
const KEEP_UI = `
  let bundle
  Object.defineProperty(window, 'SwaggerUIBundle', {
    get: () => bundle,
    set: (original) => { bundle = Object.assign((options) => (window.ui = original(options)), original) },
  })`

/** Swagger UI as a person uses it. */
class SwaggerUi {
  readonly executed: string[] = []
  readonly #page: Page
  readonly #operations: Map<string, PlacedOperation>
  #openedTag = ''
  #authorization = ''

  constructor(page: Page, document: Document) {
    this.#page = page
    this.#operations = new Map(operationsOf(document).map((placed) => [placed.operation.operationId, placed]))
  }

  /** The header of those whom the page acts for. */
  get authorization(): string {
    return this.#authorization
  }

  async authorize(authorization: string, scheme: 'accessToken' | 'apiKey' = 'accessToken'): Promise<void> {
    this.#authorization = authorization
    const dialog = this.#page.locator('.dialog-ux')
    await press(this.#page.locator('.auth-wrapper > .authorize'))
    const container = dialog.locator('.auth-container').nth(scheme === 'accessToken' ? 0 : 1)
    const logout = container.getByRole('button', { name: 'Remove authorization' })
    if (await logout.isVisible()) await press(logout)
    await container.locator('input').fill(authorization.replace('Bearer ', ''))
    await press(container.getByRole('button', { name: 'Apply credentials' }))
    await press(dialog.locator('.btn-done').first())
  }

  /** Executes an operation with what the page has filled in, and returns the answer. */
  async execute(operationId: string, entry: Entry = {}) {
    const placed = this.#operations.get(operationId)
    if (!placed) throw new Error(`there is no ${operationId}`)
    const tag = placed.operation.tags?.[0] ?? ''
    await this.#openTag(tag)
    const block = this.#page.locator(`#operations-${tag}-${operationId}`)
    const control = block.locator('.opblock-summary-control')
    await press(control)
    await this.#resolved(placed)
    const response = await this.#send(placed, block, entry)
    await block.locator('.live-responses-table').waitFor({ state: 'attached' })
    await press(control)
    this.executed.push(operationId)
    const text = response.status() === 204 ? 'null' : await response.text()
    return { status: response.status(), text, url: response.url() }
  }

  /** Opens the operations of a tag, and closes those of others: the page draws all that are open again and again. */
  async #openTag(tag: string): Promise<void> {
    if (tag === this.#openedTag) return
    const heads = this.#page.locator('.opblock-tag')
    for (const head of await heads.all()) {
      const [name, isOpen] = [await head.getAttribute('data-tag'), await head.getAttribute('data-is-open')]
      if ((isOpen === 'true') !== (name === tag)) await press(head)
    }
    this.#openedTag = tag
  }

  /**
   * Waits until the page has resolved an operation's references. It shows the button before, and one who presses it
   * then waits for ever, because the page looks the operation up by another id.
   */
  async #resolved({ path, method }: PlacedOperation): Promise<void> {
    const place = JSON.stringify(['paths', path, method])
    await eventually(() => this.#page.evaluate(`Boolean(ui.specSelectors.specResolvedSubtree(${place}))`))
  }

  /**
   * Presses the button until the operation's request is sent, because the page ignores it until it has taken what was
   * entered. Seldom: a second request may have another answer, or disturb what comes next.
   */
  async #send({ path, method, operation }: PlacedOperation, block: Locator, entry: Entry) {
    const pattern = new RegExp(`${path.replaceAll(/\{\w+\}/g, '[^/]+')}(\\?|$)`)
    const sent: Request[] = []
    const note = (request: Request) => {
      if (request.method() === method.toUpperCase() && pattern.test(request.url())) sent.push(request)
    }
    this.#page.on('request', note)
    try {
      for (let tries = 0; tries < 5; tries++) {
        await this.#fill(block, entry, operation)
        await press(block.locator('.btn.execute'))
        await eventually(async () => sent.length > 0, 30).catch(() => undefined)
        const response = await sent[0]?.response()
        if (response) return response
      }
    } finally {
      this.#page.off('request', note)
    }
    throw new Error('the page sends no request')
  }

  /** Enters values, again if need be: the page replaces them while it still fills in the form itself. */
  async #fill(
    block: Locator,
    { params = {}, body }: Entry,
    { requestBody }: PlacedOperation['operation'],
  ): Promise<void> {
    for (const [name, value] of Object.entries(params)) {
      const input = block.locator(`tr[data-param-name="${name}"]:not([data-param-in="header"]) input`)
      await eventually(async () => {
        // The page takes what was typed when the field is left, but only if it differs from what it shows.
        for (const typed of ['', value]) {
          await input.fill(typed)
          await input.blur()
        }
        return (await input.inputValue()) === value
      })
    }
    if (requestBody === undefined) return
    if (member(requestBody, 'content', 'application/octet-stream') !== undefined) {
      const file = { name: 'image.gif', mimeType: 'image/gif', buffer: Buffer.from('GIF89a') }
      await block.locator('input[type="file"]').setInputFiles(file)
      return
    }
    const input = block.locator('textarea.body-param__text')
    const text = body && JSON.stringify(body)
    await eventually(async () => {
      if (text) for (const typed of ['', text]) await input.fill(typed)
      const value = await input.inputValue()
      return text === undefined ? value !== '' : value === text
    })
  }
}

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
    const browser = await startChromium(t)
    const page = await browser.newPage()
    page.setDefaultTimeout(120_000)
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.addInitScript(KEEP_UI)
    // Not the name that the service calls itself by.
    await page.goto(`http://localhost:${port}/docs`)
    await page.locator('.opblock').first().waitFor()
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
    for (const operation of ['setCurrentUserAvatar', 'getCurrentUserAvatar']) await expect(operation, 200)
    await executeOrganizations(tenant, expect)
    await ui.authorize((await signUp({ role: 'admin' })).headers.authorization)
    await expect('listAdministeredOrganizations', 200)
    await expect('listEventTypes', 200)
    await expect('listPlatformAuditEntries', 200)
    for (const operation of ['suspendOrganization', 'restoreSuspendedOrganization'])
      await expect(operation, 200, { params: { id: tenant.organization.id } })
    const { headers } = await (await createOrganization(app)).createApiKey()
    await ui.authorize(headers.authorization, 'apiKey')
    await expect('getCurrentApiKey', 200)

    const all = operationsOf(document).map(({ operation }) => operation.operationId)
    t.strictSame([...new Set(ui.executed)].sort(), all.sort(), 'every operation was executed')
    t.strictSame(errors, [])
    await page.close()
    await t.test('the page fits a phone', (t) => fitsAPhone(t, browser, `http://localhost:${port}/docs`))
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
  const params = { ...inside, id }
  for (const operation of [`put${name}Content`, `get${name}Content`, `get${name}`, `update${name}`])
    await expect(operation, 200, { params })
  const { url } = JSON.parse(await expect(`create${name}Link`, 200, { params, body: {} }))
  const token = new URL(url).searchParams.get('token') ?? ''
  await expect('getSharedFile', 200, { params: { id, token } })
  await expect(`list${name}s`, 200, { params: inside })
  await expect(`get${name.replace('File', 'Storage')}Usage`, 200, { params: inside })
  await expect(`delete${name}`, 204, { params })
  await expect(`restore${name}`, 200, { params })
}

async function fitsAPhone(t: Test, browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 360, height: 800 }, colorScheme: 'dark' })
  page.setDefaultTimeout(120_000)
  await page.goto(url)
  const block = page.locator('#operations-users-listUsers')
  await press(block.locator('.opblock-summary-control'))
  await block.locator('.responses-table').waitFor()
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
}
