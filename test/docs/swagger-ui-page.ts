import type { Browser } from 'playwright-core'
import type { Test } from 'tap'
import { press } from './swagger-ui.ts'

/** Every text that the page draws is sanitized, by parsing it as HTML. */
const COUNT_TEXTS = `
  window.texts = 0
  const parse = DOMParser.prototype.parseFromString
  DOMParser.prototype.parseFromString = function (...args) {
    window.texts++
    return parse.apply(this, args)
  }`

/** Neither an entry nor an answer makes the page draw other texts again. */
export async function drawsChanges(t: Test, browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage()
  page.setDefaultTimeout(120_000)
  await page.addInitScript(COUNT_TEXTS)
  await page.goto(url)
  await press(page.locator('.opblock-tag[data-tag="users"]'))
  const block = page.locator('#operations-users-listUsers')
  await press(block.locator('.opblock-summary-control'))
  await block.locator('.responses-table .model-example').first().waitFor()
  const before = Number(await page.evaluate('window.texts'))
  t.ok(before > 20, `${before} texts were drawn`)
  const input = block.locator('tr[data-param-name="limit"] input')
  await input.fill('7')
  await input.blur()
  await press(block.locator('.btn.execute'))
  await block.locator('.live-responses-table').waitFor({ state: 'attached' })
  t.equal(await page.evaluate('window.texts'), before + 1, 'nobody is signed in, which the answer says')
  await page.close()
}

/** An operation can be read without scrolling to the side. */
export async function fitsAPhone(t: Test, browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 360, height: 800 }, colorScheme: 'dark' })
  page.setDefaultTimeout(120_000)
  await page.goto(url)
  await press(page.locator('.opblock-tag[data-tag="users"]'))
  const block = page.locator('#operations-users-listUsers')
  await press(block.locator('.opblock-summary-control'))
  await block.locator('.responses-table').waitFor()
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
}
