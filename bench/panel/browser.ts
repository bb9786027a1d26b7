import { existsSync } from 'node:fs'
import { type BrowserContext, chromium } from 'playwright-core'
import { emailOf, PASSWORD } from '../environment/seed.ts'
import { quantile } from '../statistics.ts'
import { type Stage, say } from './stage.ts'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const TURNS = 15
const GOAL_MS = 500

/** Measures how long the panel takes until it shows what was asked for, by a browser that has it and by one that has not. */
export async function measureBrowser({ origin }: Stage): Promise<void> {
  const executablePath = process.env['CHROMIUM'] ?? PLACES.find((path) => existsSync(path))
  if (executablePath === undefined) {
    say('\nthe panel is not measured: there is no Chromium')
    return
  }
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    const context = await browser.newContext()
    await signIn(context, origin)
    say(`\nthe panel, until the overview is there; the goal is ${GOAL_MS} ms`)
    for (const isKnown of [false, true]) {
      const times: number[] = []
      for (let turn = 0; turn < TURNS; turn++) times.push(await open(context, origin, isKnown))
      const [p50, p95] = [0.5, 0.95].map((share) => Math.round(quantile(times, share)))
      say(`${isKnown ? 'again' : 'for the first time'}: p50 ${p50} ms, p95 ${p95} ms`)
    }
  } finally {
    await browser.close()
  }
}

async function signIn(context: BrowserContext, origin: string): Promise<void> {
  const page = await context.newPage()
  await page.goto(`${origin}/admin/`)
  await page.fill('input[name=email]', emailOf(0))
  await page.fill('input[name=password]', PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.tiles')
  await page.close()
}

/** Milliseconds from the navigation until the overview has its numbers. */
async function open(context: BrowserContext, origin: string, isKnown: boolean): Promise<number> {
  const page = await context.newPage()
  try {
    if (!isKnown) await (await context.newCDPSession(page)).send('Network.clearBrowserCache')
    await page.goto(`${origin}/admin/`, { waitUntil: 'commit' })
    await page.waitForSelector('.tiles')
    // What the browser has painted is what somebody sees.
    const seen = 'new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())))'
    return Number(await page.evaluate(seen))
  } finally {
    await page.close()
  }
}
