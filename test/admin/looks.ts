import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { flaws, flawsOfColours } from '#test/support/flaws.ts'
import type { Panel } from './browser.ts'

export type ColorScheme = 'light' | 'dark'

/** 640 pixels are what is left of 1280 at 200 %. A page is loaded at the first, and the others follow. */
const WIDTHS = { light: [1280, 640, 360], dark: [360, 640, 1280] } as const

/** Nothing but colours depends on the scheme. */
const FLAWS = { light: flaws, dark: flawsOfColours } as const

/** Captions of the tables that are wider than their frames. */
const HIDING = `[...document.querySelectorAll('.list')].filter((list) => list.scrollWidth > list.clientWidth)
  .map((list) => list.querySelector('caption')?.textContent)`

/** Charts are drawn again after their frame has another width. */
const DRAWN = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))'

/** Looks at a page in each width. */
export async function looks(t: Test, panel: Panel, place: string, colorScheme: ColorScheme): Promise<void> {
  const { page, show } = panel
  const [first, ...others] = WIDTHS[colorScheme]
  await page.setViewportSize({ width: first, height: 800 })
  await show(place)
  await isFlawless(t, page, place, colorScheme, first)
  for (const width of others) {
    await page.setViewportSize({ width, height: 800 })
    await page.evaluate(DRAWN)
    await isFlawless(t, page, place, colorScheme, width)
  }
}

async function isFlawless(
  t: Test,
  page: Page,
  place: string,
  colorScheme: ColorScheme,
  width: number,
): Promise<void> {
  const name = `${place}, ${width} px, ${colorScheme}`
  const content = Number(await page.evaluate('document.documentElement.scrollWidth'))
  t.ok(content <= width, `${name}: fits`)
  t.strictSame(await page.evaluate(HIDING), [], `${name}: every column is seen`)
  if (width !== 640) t.strictSame(await FLAWS[colorScheme](page), [], `${name}: accessible`)
}
