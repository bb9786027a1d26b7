// Among the first, because it looks at every page four times.
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { withoutChromium } from '#test/support/chromium.ts'
import { quarantinedFile } from '#test/support/files.ts'
import { flaws } from '#test/support/flaws.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { acts, helps, impersonates, retries, suspends } from './acts.ts'
import {
  createPanelWorld,
  openPanel,
  openTab,
  type Panel,
  type PanelWorld,
  settled,
  signIn,
} from './browser.ts'
import { filters } from './filters.ts'
import { walks } from './keyboard.ts'
import { looks } from './looks.ts'
import { createStory, type Story } from './story.ts'
import { survives } from './troubles.ts'
import { beginsEmpty, types, waits } from './waits.ts'

/** Text that would run as a script wherever it became markup. */
const MARKER = '<img src=x onerror="window.wasRun=1"><script>window.wasRun=1</script>'

/** A word that has no end, as far as a table is concerned. */
const WORD = 'x'.repeat(180)

/** Bounds of a first visit (docs/decisions/094-the-panel-has-no-build.md). */
const MOST_REQUESTS = 25
const MOST_BYTES = 60_000

const skip = withoutChromium

t.test('the panel', { skip }, async (t) => {
  const story = await createStory(t)
  const { world } = story
  const places = await fill(story)

  await t.test('every page, light and dark, wide and narrow, without a flaw that axe finds', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const look = async (panel: Panel) => {
        for (const place of places) await looks(t, panel, place, colorScheme)
      }
      await inPanel(t, world, look, { colorScheme })
    }
  })
  await t.test('by the keyboard alone: every page and every dialog', (t) =>
    inPanel(t, world, async (panel) => {
      for (const place of places) await walks(t, panel, place)
    }),
  )
  await t.test('a first visit is small', (t) => inPanel(t, world, (panel) => isSmall(t, world, panel)))
  await t.test('anyone who is not an admin stays outside', (t) => staysOutside(t, world))
  await t.test('filters are in the URL, and the back button knows them', (t) =>
    inPanel(t, world, (panel) => filters(t, panel)),
  )
  await t.test('a token that ends in the middle is renewed', (t) =>
    inPanel(t, world, (panel) => renews(t, world, panel)),
  )
  await t.test('tabs share a session', (t) => inPanel(t, world, (panel) => shares(t, world, panel)))
  await t.test('an overview that nobody uses ends with its session', async (t) =>
    inPanel(t, world, (panel) => idles(t, panel)),
  )
  await t.test('an act asks first, and for the password, by keyboard alone', (t) =>
    inPanel(t, world, (panel) => acts(t, world, panel)),
  )
  await t.test('a mail that did not arrive, from a part of the address to the audit log', (t) =>
    inPanel(t, world, (panel) => helps(t, story, panel)),
  )
  await t.test('jobs are retried by a filter, with their number asked first', (t) =>
    inPanel(t, world, (panel) => retries(t, panel)),
  )
  await t.test('a queue that is paused says so where somebody waits for it', (t) =>
    inPanel(t, world, (panel) => waits(t, world, panel)),
  )
  await t.test('a filter that is half typed is not a mistake', (t) =>
    inPanel(t, world, (panel) => types(t, world, panel)),
  )
  await t.test('an admin acts in the place of a user, and is reminded of it', (t) =>
    inPanel(t, world, (panel) => impersonates(t, world, panel)),
  )
  await t.test('a service that is away for a while', (t) => inPanel(t, world, (panel) => survives(t, panel)))
  await t.test('an organization is suspended, restored and purged', (t) =>
    inPanel(t, world, (panel) => suspends(t, world, panel)),
  )
  t.strictSame(world.violations, [], 'the API answered as it says')

  await t.test('every page of a service that nobody has used', async (t) => {
    const unused = await createPanelWorld(t, {}, world.browser)
    await beginsEmpty(t, unused)
    t.strictSame(unused.violations, [], 'the API answered as it says')
  })
})

/** Makes something for every page to show, with a marker in every text; returns the pages. */
async function fill({ world, ada }: Story): Promise<string[]> {
  const { app, admin, db, request, signUp } = world
  await db.query('UPDATE sessions SET user_agent = $2 WHERE user_id = $1', [ada.user.id, MARKER + WORD])
  for (let n = 0; n < 60; n++) await signUp()
  const { organization, createWebhook } = await createOrganization(app)
  await db.query('UPDATE organizations SET name = $2 WHERE id = $1', [organization.id, MARKER])
  const webhook = await createWebhook()
  await db.query('UPDATE webhook_endpoints SET first_failed_at = now(), url = $2 WHERE id = $1', [
    webhook.id,
    `https://${'sub.'.repeat(50)}example.com/`,
  ])
  await db.query('UPDATE files SET name = $2, scan_finding = $3 WHERE id = $1', [
    await quarantinedFile(app, ada),
    `${WORD}.pdf`,
    MARKER,
  ])
  const [job] = await db.query<{ id: string }>(
    `UPDATE pgboss.job SET output = $1, data = $1
     WHERE id = (SELECT id FROM pgboss.job WHERE name = 'dead_letter' ORDER BY created_on LIMIT 1) RETURNING id`,
    [JSON.stringify({ message: MARKER })],
  )
  const payload = { action: 'delete', jobs: { filter: { error: 'nothing like it' } }, reason: MARKER }
  const url = '/api/v1/operations/job-actions'
  const action = (await request({ method: 'POST', url, as: admin, payload })).json()
  const { data } = (await request({ url: '/api/v1/operations/mails', as: admin })).json()
  return [
    'overview',
    'users',
    'users?q=nobody',
    `users/${ada.user.id}`,
    `users/${organization.id}`,
    'organizations',
    'organizations?q=nobody',
    `organizations/${organization.id}`,
    'webhooks',
    'webhooks?status=disabled',
    'jobs',
    'jobs?state=dead',
    `jobs/${job?.id}`,
    'queues',
    'job-actions',
    `job-actions/${action.id}`,
    'mails',
    'mails?to=ada',
    `mails/${data[0].id}`,
    'mail-templates',
    'mail-templates/reset-password',
    'files',
    'impersonations',
    'audit',
    'audit?organization_id=nonsense',
    `audit?target_id=${ada.user.id}`,
    'settings?q=admin',
    'nothing',
  ]
}

/** Opens the panel as an admin, and at the end fails `t` for what the browser complains of. */
async function inPanel(
  t: Test,
  world: PanelWorld,
  use: (panel: Panel) => Promise<void>,
  look?: Parameters<typeof openPanel>[1],
): Promise<void> {
  const panel = await openPanel(world, look)
  try {
    await signIn(panel, { email: world.admin.user.email, password: world.admin.password })
    await use(panel)
    t.strictSame(panel.complaints, [], 'the browser has nothing to complain of')
    t.equal(await panel.page.evaluate('window.wasRun'), undefined, 'no text became a script')
  } finally {
    await panel.context.close()
  }
}

async function isSmall(t: Test, _world: PanelWorld, panel: Panel): Promise<void> {
  const { page } = panel
  let requests = 0
  page.on('request', () => {
    requests++
  })
  const cold = await openPanelAgain(page)
  t.ok(requests <= MOST_REQUESTS, `${requests} requests`)
  t.ok(cold <= MOST_BYTES, `${cold} bytes`)
}

/** Loads the page as if it had never been there; returns the bytes that came. */
async function openPanelAgain(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.clearBrowserCache')
  await page.reload()
  await settled(page)
  const size = '(n, { encodedBodySize }) => n + encodedBodySize, 0'
  const bytes = `[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')].reduce(${size})`
  return Number(await page.evaluate(bytes))
}

async function staysOutside(t: Test, world: PanelWorld): Promise<void> {
  const { user, password } = await world.signUp()
  const { page, context } = await openPanel(world)
  const say = async (email: string, password: string) => {
    await page.fill('input[name=email]', email)
    await page.fill('input[name=password]', password)
    await page.keyboard.press('Enter')
    const problem = page.locator('.problem:not(:empty)')
    await problem.waitFor()
    return problem.textContent()
  }
  const refused = await say(user.email, password)
  t.equal(refused, 'No admin has this email address and password.')
  t.equal(await say(world.admin.user.email, 'wrong'), refused)
  t.strictSame(await flaws(page), [])
  await context.close()
}

async function renews(t: Test, world: PanelWorld, panel: Panel): Promise<void> {
  const { page, show } = panel
  const answers: string[] = []
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname
    if (!path.includes('assets')) answers.push(`${response.request().method()} ${path} ${response.status()}`)
  })
  // The next call has a token that nobody accepts any more.
  let isGone = true
  await page.route('**/api/v1/**', (route) => {
    const headers = route.request().headers()
    // Its signature is another's.
    if (isGone) headers['authorization'] = `${headers['authorization']?.slice(0, -8)}AAAAAAAA`
    isGone = false
    return route.continue({ headers })
  })
  await show('organizations')
  await page.locator('tbody tr').first().waitFor()
  t.strictSame(answers, [
    'GET /api/v1/operations/organizations 401',
    'PUT /admin/session 200',
    'GET /api/v1/operations/organizations 200',
  ])

  await world.db.query('UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL AND user_id = $1', [
    world.admin.user.id,
  ])
  isGone = true
  await page.evaluate("location.hash = '#/users?q=ada'")
  await page.locator('text=Your session has ended.').waitFor()
  await signIn(panel, { email: world.admin.user.email, password: world.admin.password })
  t.match(page.url(), /#\/users\?q=ada$/, 'it is where it was')
  const readable = await page.evaluate('[document.cookie, { ...localStorage }, { ...sessionStorage }]')
  t.strictSame(readable, ['', {}, {}], 'no script finds a token')
}

async function shares(t: Test, world: PanelWorld, panel: Panel): Promise<void> {
  const first = panel
  const second = await openTab(first.context, world.origin)
  await second.page.waitForSelector('.shell')
  await settled(second.page)
  const both = [first.page, second.page]
  // Both at once, twenty times: a refresh token that came twice and late would end the session.
  for (let n = 0; n < 10; n++) await Promise.all(both.map((page) => page.reload()))
  for (const page of both) await page.waitForSelector('.shell')
  await second.page.click('text=Sign out')
  await second.page.locator('text=You are signed out.').waitFor()
  await first.page.locator('text=You signed out in another tab.').waitFor()
  t.strictSame(second.complaints, [])
}

async function idles(t: Test, { page }: Panel): Promise<void> {
  await page.clock.install()
  await page.reload()
  await page.locator('.tiles').waitFor()
  await page.locator('.heading .badge:has-text("live")').waitFor()
  const renewals: string[] = []
  page.on('request', (request) => {
    if (request.method() === 'PUT') renewals.push(request.url())
  })
  // What the page asks for by itself would have renewed the token now.
  await page.clock.fastForward('14:40')
  await page.clock.fastForward('00:30')
  await page.locator('text=You were signed out after 15 minutes without use.').waitFor()
  t.strictSame(renewals, [])
}
