import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { flaws } from '#test/support/flaws.ts'
import type { Panel, PanelWorld } from './browser.ts'
import type { Story } from './story.ts'

// What admins do in the panel, each from the page where it begins to where it can be seen.

export async function acts(t: Test, world: PanelWorld, panel: Panel): Promise<void> {
  const { admin, db, signUp } = world
  const { user } = await signUp({ email: 'grace@example.com', username: 'grace' })
  const { page, show } = panel
  await show(`users/${user.id}`)
  await db.query("UPDATE sessions SET authenticated_at = now() - interval '1 hour' WHERE user_id = $1", [
    admin.user.id,
  ])
  world.app.identities.forgetUser(admin.user.id)
  await press(page, 'Deactivate')
  await page.locator('dialog h2:has-text("grace@example.com")').waitFor()
  t.strictSame(await flaws(page), [])
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
  t.equal(await page.locator('text=deactivated').count(), 0, 'nothing is done before it is asked')

  await press(page, 'Deactivate')
  await confirm(page)
  // It is an hour since the password was given.
  await page.locator('dialog h2:has-text("Confirm that it is you")').waitFor()
  t.strictSame(await flaws(page), [])
  await page.keyboard.type('not the right one')
  await page.keyboard.press('Enter')
  await page.locator('dialog .problem:not(:empty)').waitFor()
  await page.locator('input[type=password]').fill(admin.password)
  await page.keyboard.press('Enter')
  await page.locator('dd:has-text("deactivated")').waitFor()
  await press(page, 'Activate')
  await page.locator('dialog').waitFor()
  await page.keyboard.press('Escape')
}

export async function helps(t: Test, { world, ada, repair }: Story, panel: Panel): Promise<void> {
  const { page, show } = panel
  await show('users')
  await page.fill('input[type=search]', 'lovelace@')
  await page.click('tbody a:has-text("ada.lovelace")')
  await page.click('tr:has-text("reset-password") a')
  await page.locator('pre:has-text("450")').waitFor()
  repair()
  await page.click('text=Send again')
  await page.fill('input[name=reason]', 'The mailbox has room again')
  await page.keyboard.press('Enter')
  await page.locator('dialog').waitFor({ state: 'detached' })
  // The page follows the mail by itself.
  await page.locator('.badge:has-text("sent")').waitFor()
  await page.click('text=all that is theirs')
  await page.click('text=End all sessions')
  await page.fill('input[name=reason]', 'A telephone was lost')
  await page.keyboard.press('Enter')
  await page.locator('text=1 session is ended.').waitFor()
  await page.locator('text=The user is not signed in anywhere.').waitFor()
  t.equal((await world.request({ url: '/api/v1/users/me', as: ada })).statusCode, 401)
  await page.click('nav >> text=Audit')
  await page.click('text=What I did')
  await page.locator('tr:has-text("End sessions"), tr:has-text("Sessions: ended")').first().waitFor()
  await page.locator('td[data-title="Done to"]:has-text("ada.lovelace@")').first().waitFor()
  for (const reason of ['The mailbox has room again', 'A telephone was lost'])
    await page.locator(`tr:has-text("${reason}")`).first().waitFor()
  const [request = ''] = await page.locator('td[data-title=Request] button').allTextContents()
  t.match(request, /^Copy …[0-9a-f]{12}$/, 'with the id of the request')
}

export async function impersonates(
  t: Test,
  { request, signUp }: PanelWorld,
  { page, show }: Panel,
): Promise<void> {
  const { user } = await signUp()
  await show(`users/${user.id}`)
  await page.click('text=Act as the user')
  await page.fill('input[name=minutes]', '5')
  await page.fill('input[name=reason]', 'Ticket 4711')
  await page.keyboard.press('Enter')
  const token = page.locator('dialog .id')
  await token.waitFor()
  t.strictSame(await flaws(page), [])
  const text = (await token.getAttribute('title'))?.replace('Copy ', '')
  const me = () => request({ url: '/api/v1/users/me', headers: { authorization: `Bearer ${text}` } })
  t.equal((await me()).json().id, user.id)
  await page.click('dialog >> text=Done')
  const banner = page.locator('.banner')
  await banner.waitFor()
  t.strictSame(await flaws(page), [])
  await banner.locator('text=Stop').click()
  await page.fill('input[name=reason]', 'Seen enough')
  await page.keyboard.press('Enter')
  await banner.waitFor({ state: 'detached' })
  t.equal((await me()).statusCode, 401)
  await show('impersonations')
  await page.locator('tr:has-text("Ticket 4711"):has-text("ended")').waitFor()
}

export async function suspends(t: Test, { db }: PanelWorld, { page, show }: Panel): Promise<void> {
  const suspended = () => db.query('SELECT id FROM organizations WHERE suspended_at IS NOT NULL')
  await show('organizations')
  for (const [act, count] of [
    ['Suspend', 1],
    ['Restore', 0],
  ] as const) {
    await page.click(`td button:has-text("${act}")`)
    await page.locator('dialog:has-text("Its 1 member")').waitFor()
    await page.fill('input[name=reason]', 'Ticket 4711')
    await page.keyboard.press('Enter')
    await page.locator('dialog').waitFor({ state: 'detached' })
    t.equal((await suspended()).length, count)
  }
  await appoints(t, db, page)
  await purges(t, page)
}

/** Makes the member of an organization an owner, from its page and by the id. */
async function appoints(t: Test, db: PanelWorld['db'], page: Page): Promise<void> {
  const lost = "role = 'member' WHERE (org_id, user_id) = (SELECT org_id, user_id FROM memberships LIMIT 1)"
  const [row] = await db.query<{ org_id: string; user_id: string }>(
    `UPDATE memberships SET ${lost} RETURNING org_id, user_id`,
  )
  await page.evaluate(`location.hash = '#/organizations/${row?.org_id}'`)
  await page.locator('dd:has-text("none who can sign in")').waitFor()
  await page.click('main button:has-text("Appoint an owner")')
  await page.fill('input[name=reason]', 'The owner has left')
  const [user] = await db.query<{ email: string }>('SELECT email FROM users WHERE id = $1', [row?.user_id])
  for (const [who, problem] of [
    ['nobody', 'User id'],
    ['nobody@example.com', 'No account has this address.'],
    ['root@example.com', 'no such member'],
  ] as const) {
    await page.fill('input[name=user]', who)
    await page.keyboard.press('Enter')
    await page.locator(`dialog .problem:has-text("${problem}")`).waitFor()
  }
  t.strictSame(await flaws(page), [])
  await page.fill('input[name=user]', String(user?.email).toUpperCase())
  await page.keyboard.press('Enter')
  await page.locator('dd:text-is("can sign in")').waitFor()
  t.match(
    await db.query('SELECT role FROM memberships WHERE org_id = $1 AND user_id = $2', [
      row?.org_id,
      row?.user_id,
    ]),
    [{ role: 'owner' }],
  )
  await page.goBack()
}

/** Deletes a suspended organization for good, for which a wrong id is not enough. */
async function purges(t: Test, page: Page): Promise<void> {
  await page.click('tbody a')
  await page.click('main button:has-text("Suspend")')
  await page.fill('input[name=reason]', 'Its owner asked for it')
  await page.keyboard.press('Enter')
  await page.click('main button:has-text("Purge")')
  const id = (await page.locator('dialog .hint').first().textContent()) ?? ''
  await page.fill('input[name=proof]', 'nope')
  await page.fill('input[name=reason]', 'Its owner asked for it')
  await page.keyboard.press('Enter')
  await page.locator('dialog >> text=These are not the last 4 characters').waitFor()
  t.strictSame(await flaws(page), [])
  await page.fill('input[name=proof]', id.slice(-4))
  await page.keyboard.press('Enter')
  await page.locator('dd:has-text("purged soon")').waitFor()
  t.equal(
    await page.locator('main button[aria-haspopup=dialog]:not(section button)').count(),
    0,
    'nothing is left to do',
  )
}

export async function retries(t: Test, { page, show }: Panel): Promise<void> {
  await show('jobs?state=dead')
  t.equal(await page.locator('text=Cancel all…').count(), 0, 'dead letters cannot be cancelled')
  await page.fill('input[type=search]', 'ECONNREFUSED')
  await page.locator('text=11 rows.').waitFor()
  await page.click('text=Retry all…')
  await page.locator('dialog h2:has-text("Retry 11 jobs")').waitFor()
  await page.fill('input[name=reason]', 'The receiver is back')
  await page.keyboard.press('Enter')
  await page.locator('text=11 of 11 jobs').waitFor()
  await show('jobs?state=dead&error=ECONNREFUSED')
  await page.locator('text=No job matches.').waitFor()
}

/** Walks to a button by the tabulator, and presses it. */
async function press(page: Page, name: string): Promise<void> {
  for (let n = 0; n < 100; n++) {
    const focused = await page.evaluate('document.activeElement.textContent')
    if (focused === name) return page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
  }
  throw new Error(`the tabulator does not come to ${name}`)
}

/** Types a reason if one is asked for, and goes on. */
async function confirm(page: Page): Promise<void> {
  await page.locator('dialog').waitFor()
  if (await page.locator('input[name=reason]').count()) await page.keyboard.type('Ticket 4711')
  await press(page, (await page.textContent('dialog button[type=submit]')) ?? '')
}
