import type { Test } from 'tap'
import type { Panel } from './browser.ts'

/** Calls of the panel, which the browser has do something else here. */
const CALLS = '**/api/v1/operations/**'

/** The panel of a service that is away, and of one in whose place a proxy answers. */
export async function survives(t: Test, panel: Panel): Promise<void> {
  const { page, show } = panel
  await page.route(CALLS, (route) => route.abort())
  await page.click('nav >> text=Users')
  const alert = page.locator('[role=alert]')
  await alert.locator('text=The service cannot be reached.').waitFor()
  await page.unroute(CALLS)
  await alert.locator('button').click()
  await page.locator('tbody tr').first().waitFor()
  t.equal(await alert.count(), 0, 'trying again is enough')

  await show('job-actions')
  await page.locator('tbody a[href*="job-actions/"]').first().click()
  // It is loaded again each second.
  await page.locator('dt:has-text("Reason")').waitFor()
  await page.route(CALLS, (route) =>
    route.fulfill({ status: 502, contentType: 'text/html', body: '<html>Bad gateway' }),
  )
  await alert.locator('text=The answer was 502, and not from the service').waitFor()
  t.equal(await page.locator('dt:has-text("Reason")').count(), 1, 'what was shown stays')
  await page.unroute(CALLS)
  await alert.waitFor({ state: 'detached' })

  await page.route(CALLS, (route) =>
    route.fulfill({
      status: 429,
      contentType: 'application/problem+json',
      headers: { 'retry-after': '90' },
      body: JSON.stringify({ status: 429, code: 'rate_limit_exceeded', detail: 'Too many requests.' }),
    }),
  )
  await page.click('nav >> text=Users')
  await alert.locator('text=Too many requests. Try again in 1 min 30 s.').waitFor()
  await page.unroute(CALLS)
  // The browser reports what it could not load.
  for (const text of panel.complaints.splice(0)) t.match(text, 'Failed to load resource')
}
