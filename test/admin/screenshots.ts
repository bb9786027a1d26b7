import { mkdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { offerHelp, refuseArguments } from '#commands/run-command.ts'
import { openPanel, type Panel, type PanelWorld, settled, signIn } from './browser.ts'
import { createStory } from './story.ts'

// npm run screenshots [-- FOLDER]: the pictures of README.md, of a panel whose service runs for the purpose. With --all,
// and a folder: every page, light, dark and on a telephone, to be looked at after a change.

const USAGE = 'Usage: npm run screenshots [-- FOLDER] [--all]\n'

offerHelp(USAGE)

const { values, positionals } = readArguments()
const FOLDER = positionals[0] ?? new URL('../../docs/images', import.meta.url).pathname

/** Time for the charts of the overview to have something to show. */
const LOOK_MS = 26_000

/** Pages; a star stands for the first that the list links to. */
const PLACES = [
  ...[
    'overview',
    'users',
    'users/*',
    'organizations',
    'organizations/*',
    'webhooks',
    'jobs',
    'jobs?state=dead',
  ],
  ...['jobs/*', 'queues', 'job-actions', 'mails', 'mails/*', 'mail-templates', 'mail-templates/*', 'files'],
  ...['impersonations', 'audit', 'settings'],
]

const LOOKS = {
  light: { colorScheme: 'light', width: 1280, height: 800 },
  dark: { colorScheme: 'dark', width: 1280, height: 800 },
  telephone: { colorScheme: 'light', width: 360, height: 740 },
} as const

const teardowns: (() => unknown)[] = []
try {
  const { world, ada } = await createStory({ teardown: (end) => void teardowns.push(end) })
  await mkdir(FOLDER, { recursive: true })
  if (values.all) await shootAll(world)
  else await shootForReadme(world, ada.user.id)
} finally {
  for (const end of teardowns.reverse()) await end()
}

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { all: { type: 'boolean' } } } as const)
  } catch {
    refuseArguments(USAGE)
    process.exit()
  }
}

async function shootForReadme(world: PanelWorld, user: string): Promise<void> {
  const { page, show } = await open(world, { height: 720 })
  await page.waitForTimeout(LOOK_MS)
  await page.screenshot({ path: `${FOLDER}/admin-overview.png` })
  await show(`users/${user}`)
  await page.evaluate('document.activeElement.blur()')
  await page.screenshot({ path: `${FOLDER}/admin-user.png` })
}

async function shootAll(world: PanelWorld): Promise<void> {
  for (const [look, options] of Object.entries(LOOKS)) {
    const panel = await open(world, options)
    for (const place of PLACES) {
      await goTo(panel, place)
      const name = place.replaceAll(/[^a-z-]+/g, '-').replace(/-$/, '-one')
      await panel.page.screenshot({ path: `${FOLDER}/${look}-${name}.png`, fullPage: true })
    }
    await panel.context.close()
  }
}

async function open(world: PanelWorld, options: Parameters<typeof openPanel>[1]): Promise<Panel> {
  const panel = await openPanel(world, options)
  await signIn(panel, { email: world.admin.user.email, password: world.admin.password })
  return panel
}

async function goTo({ page, show }: Panel, place: string): Promise<void> {
  const [list = ''] = place.split('/')
  await show(list)
  if (place.endsWith('*')) {
    await page.locator('tbody a').first().click()
    await page.waitForURL(/#\/[a-z-]+\/.+/)
  }
  await settled(page)
  await page.evaluate('document.activeElement.blur()')
}
