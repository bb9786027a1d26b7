import type { Test } from 'tap'
import { flaws } from '#test/support/flaws.ts'
import { openPanel, type Panel, type PanelWorld, signIn } from './browser.ts'

// What an admin who waits is told: for a queue that is paused, for a filter that is half typed, for data that nobody has.

/** An action on many jobs whose queue is paused says why nothing happens, and where it goes on. */
export async function waits(
  t: Test,
  { admin, db, request }: PanelWorld,
  { page, show }: Panel,
): Promise<void> {
  await show('queues')
  const row = page.locator('tr:has(a:text-is("act_on_jobs"))')
  await row.locator('button:has-text("Pause")').click()
  await page.locator('dialog:has-text("Nor is what you do to many jobs at once")').waitFor()
  await page.fill('input[name=reason]', 'A test')
  await page.keyboard.press('Enter')
  await row.locator('.badge:has-text("paused")').waitFor()

  // Other tests end the sessions that there were.
  const login = { email: admin.user.email, password: admin.password }
  const fresh = (await request({ method: 'POST', url: '/api/v1/auth/login', payload: login })).json()
  const headers = { authorization: `Bearer ${fresh.access_token}` }
  const payload = { action: 'delete', jobs: { filter: { error: 'nothing like it' } }, reason: 'A test' }
  const answer = await request({ method: 'POST', url: '/api/v1/operations/job-actions', headers, payload })
  const { id } = answer.json()
  // Few jobs are done at once; of many it would wait.
  const status = (text: string) => db.query('UPDATE job_actions SET status = $2 WHERE id = $1', [id, text])
  await status('running')
  await show(`job-actions/${id}`)
  await page.locator('text=The queue act_on_jobs is paused').waitFor()
  t.strictSame(await flaws(page), [])
  await show('jobs?queue=act_on_jobs')
  await page.locator('text=The queue act_on_jobs is paused').waitFor()
  await page.click('text=Resume it')
  await row.locator('button:has-text("Resume")').click()
  await page.fill('input[name=reason]', 'A test')
  await page.keyboard.press('Enter')
  await row.locator('.badge:has-text("running")').waitFor()
  await show(`job-actions/${id}`)
  await page.locator('text=The queue act_on_jobs is paused').waitFor({ state: 'detached' })
  await status('finished')
  await page.locator('.badge:has-text("finished")').waitFor()
}

/** Nothing is asked for that the API would refuse because somebody has not typed all of it. */
export async function types(t: Test, { admin }: PanelWorld, { page, show }: Panel): Promise<void> {
  const refused: string[] = []
  page.on('response', (response) => response.status() === 400 && refused.push(response.url()))
  for (const [name, parts, hint] of [
    ['action', ['users', 'users.', 'users.updated'], 'Type the whole action'],
    ['organization_id', ['0199', admin.user.id], 'Type the whole id'],
    ['admin_id', ['ro', 'root@', 'root@example.com'], 'Type the whole address'],
  ] as const) {
    await show('audit')
    for (const part of parts.slice(0, -1)) {
      await page.fill(`#filter-${name}`, part)
      await page.locator(`text=${hint}`).or(page.locator('text=No account has the address')).waitFor()
    }
    await page.fill(`#filter-${name}`, String(parts.at(-1)))
    await page.locator('.list').waitFor()
    t.equal(await page.locator(`text=${hint}`).count(), 0)
  }
  t.strictSame(refused, [])
}

/** Pages of lists and numbers. */
const LISTS = [
  ...['overview', 'users', 'organizations', 'webhooks', 'jobs', 'jobs?state=dead', 'queues', 'job-actions'],
  ...['mails', 'mail-templates', 'files', 'impersonations', 'audit', 'settings'],
]

/** Every page of a service that nobody has used yet. */
export async function beginsEmpty(t: Test, world: PanelWorld): Promise<void> {
  for (const look of [
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 360 },
  ] as const) {
    const panel = await openPanel(world, look)
    await signIn(panel, { email: world.admin.user.email, password: world.admin.password })
    for (const place of LISTS) {
      await panel.show(place)
      t.strictSame(await flaws(panel.page), [], `${place}, ${look.colorScheme}`)
      t.equal(await panel.page.locator('[role=alert]').count(), 0, place)
      const text = await panel.page.locator('main').innerText()
      t.notMatch(text, /\bNaN\b|undefined|\bnull\b|Infinity|Invalid/, place)
    }
    t.strictSame(panel.complaints, [])
    await panel.context.close()
  }
}
