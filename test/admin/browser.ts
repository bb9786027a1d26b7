import type { Browser, BrowserContext, Page } from 'playwright-core'
import { startChromium } from '#test/support/chromium.ts'
import type { Owner } from '#test/support/database.ts'
import { buildTestApp, type TestApp, type TestUser } from '#test/support/helper.ts'

/** A service that listens, and a browser with an admin of it. */
export interface PanelWorld extends TestApp {
  readonly origin: string
  readonly browser: Browser
  readonly admin: TestUser
  /** Answers that are not as the document says. */
  readonly violations: readonly string[]
}

/** Starts a service, and a browser unless there is one already. */
export async function createPanelWorld(
  t: Owner,
  env: Record<string, string> = {},
  started?: Browser,
): Promise<PanelWorld> {
  const violations: string[] = []
  const test = await buildTestApp(t, env, { violated: (violation) => violations.push(violation) })
  const origin = await test.app.listen({ port: 0, host: '127.0.0.1' })
  const admin = await test.signUp({ role: 'admin', email: 'root@example.com', username: 'root' })
  const browser = started ?? (await startChromium(t))
  return { ...test, origin, browser, admin, violations }
}

/** A tab with the panel. */
export interface Panel {
  readonly page: Page
  readonly context: BrowserContext
  /** Complaints of the browser: errors of scripts, and what the page's policy forbids. */
  readonly complaints: string[]
  /** Goes to a page of the panel: `users?q=ada`. */
  show(place: string): Promise<void>
}

interface Look {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
}

/** Opens the panel in a browser of its own. */
export async function openPanel(
  { browser, origin }: PanelWorld,
  { width = 1280, height = 800, colorScheme = 'light' }: Look = {},
): Promise<Panel> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    permissions: ['clipboard-write'],
  })
  return openTab(context, origin)
}

/** Opens another tab of the same browser. */
export async function openTab(context: BrowserContext, origin: string): Promise<Panel> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // The browser reports every answer of 4xx as an error; tests make them happen.
    const isAnswer = message.text().includes('the server responded with a status of 4')
    if (['error', 'warning'].includes(message.type()) && !isAnswer) complaints.push(message.text())
  })
  await page.goto(`${origin}/admin/`)
  const show = async (place: string) => {
    await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`)
    await settled(page)
  }
  return { page, context, complaints, show }
}

/** Signs in at the page for it. */
export async function signIn({ page }: Panel, { email, password }: { email: string; password: string }) {
  await page.fill('input[name=email]', email)
  await page.fill('input[name=password]', password)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.shell')
  await settled(page)
}

/** Waits until nothing is loaded any more. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('h1')
  await page.waitForSelector('[aria-busy=true], .loading', { state: 'detached' })
}
