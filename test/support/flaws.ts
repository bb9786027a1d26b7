import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/**
 * Violations of WCAG 2.2 AA that axe finds.
 *
 * @param rules beside those, of whole pages: landmarks, for example, which a mail has no use for
 */
export function flaws(page: Page, rules: readonly string[] = ['best-practice']): Promise<unknown> {
  return run(page, [...RULES, ...rules])
}

/** Those of `flaws` that another colour scheme could have. */
export function flawsOfColours(page: Page): Promise<unknown> {
  return run(page, { type: 'rule', values: ['color-contrast', 'link-in-text-block'] })
}

async function run(page: Page, runOnly: unknown): Promise<unknown> {
  // Half a megabyte to send and to compile, which stays in a page that only changes.
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(AXE)
  const options = { runOnly, resultTypes: ['violations'] }
  return page.evaluate(`
    axe.run(${JSON.stringify(options)}).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ').slice(0, 300)))`)
}
