import type { Test } from 'tap'
import type { Panel } from './browser.ts'

/** Filters are in the URL, so that the back button and a reload know them. */
export async function filters(t: Test, { page, show }: Panel): Promise<void> {
  await show('users')
  t.equal(await page.locator('tbody tr').count(), 50)
  await page.click('text=Show more')
  await page.locator('tbody tr').nth(50).waitFor()
  await page.fill('input[type=search]', 'LOVELACE')
  await page.locator('text=1 row.').waitFor()
  t.match(page.url(), /#\/users\?q=LOVELACE$/)
  await page.selectOption('select >> nth=0', 'admin')
  await page.locator('text=No user matches').waitFor()
  await page.goBack()
  await page.locator('text=1 row.').waitFor()
  t.equal(await page.inputValue('select >> nth=0'), '')
  await page.click('tbody a')
  await page.locator('h1:has-text("ada.lovelace@example.com")').waitFor()
  t.equal(await page.evaluate('document.activeElement.tagName'), 'H1', 'the heading is where reading goes on')
  await page.goBack()
  t.equal(await page.inputValue('input[type=search]'), 'LOVELACE')
  await page.reload()
  await page.locator('text=1 row.').waitFor()
}
