import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { type Panel, settled } from './browser.ts'

/** Longer than the panel waits (admin/ui/load.ts). */
const TYPING_MS = 250

/** More stops than any page has. */
const MOST_STOPS = 400

/** Links, buttons and fields that the page shows. */
const CONTROLS =
  "[...document.querySelectorAll('a[href], button, input, select, summary, textarea')]" +
  '.filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled)'

/** Walks through a page and each of its dialogs by the keyboard alone. */
export async function walks(t: Test, { page, show }: Panel, place: string): Promise<void> {
  await show(place)
  // A list waits for those who type before it is loaded again.
  await page.waitForTimeout(TYPING_MS)
  await settled(page)
  t.strictSame(await missedBy(page, 'document.body'), [], `${place}: the tabulator comes to everything`)
  for (const label of await labelsOf(page)) await asks(t, page, place, label)
}

/** The different acts of a page that ask first. */
async function labelsOf(page: Page): Promise<string[]> {
  const buttons = page.locator('main button[aria-haspopup=dialog]')
  return [...new Set(await buttons.allTextContents())]
}

/** Opens the dialog of an act and leaves it: the focus goes in, stays in, and comes back. */
async function asks(t: Test, page: Page, place: string, label: string): Promise<void> {
  const name = `${place}, ${label}`
  const button = page.locator('main button[aria-haspopup=dialog]', { hasText: exactly(label) }).first()
  await button.focus()
  await page.keyboard.press('Enter')
  const dialog = page.locator('dialog[open]')
  await dialog.waitFor()
  const isInside = "document.querySelector('dialog').contains(document.activeElement)"
  t.ok(await page.evaluate(isInside), `${name}: the focus is in the dialog`)
  t.strictSame(await missedBy(page, "document.querySelector('dialog')"), [], `${name}: all of the dialog`)
  t.ok(await page.evaluate(isInside), `${name}: the focus stays in the dialog`)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  const focused = await page.evaluate('document.activeElement.textContent')
  t.equal(focused, label, `${name}: the focus comes back`)
}

const exactly = (text: string) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)

/** Presses the tabulator until it has been everywhere; returns what it did not come to, or came to unseen. */
async function missedBy(page: Page, root: string): Promise<string[]> {
  const isPage = root === 'document.body'
  if (isPage) await page.evaluate('document.activeElement.blur(); getSelection().removeAllRanges()')
  await page.evaluate(`
    window.wanted = new Set(${CONTROLS}.filter((element) => ${root}.contains(element)))
    window.unseen = new Set()
    removeEventListener('focusin', window.visit)
    window.visit = () => {
      const element = document.activeElement
      window.wanted.delete(element)
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px'
      if (element !== document.body && !isSeen) window.unseen.add(element)
      return window.wanted.size
    }
    addEventListener('focusin', window.visit)`)
  let left = Number(await page.evaluate('window.visit()'))
  for (let stop = 0; stop < MOST_STOPS && left > 0; ) {
    // Each has a stop of its own, so that many are needed at least.
    for (const end = stop + left; stop < end; stop++) await page.keyboard.press('Tab')
    left = Number(await page.evaluate('window.visit()'))
  }
  const missed = await page.evaluate(
    `[...window.wanted].map((element) => 'not reached: ' + element.outerHTML.slice(0, 200))
      .concat([...window.unseen].map((element) => 'no outline: ' + element.outerHTML.slice(0, 200)))`,
  )
  return Array.isArray(missed) ? missed.map(String) : []
}
