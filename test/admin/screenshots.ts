import { mkdir } from 'node:fs/promises'
import { openPanel, signIn } from './browser.ts'
import { createStory } from './story.ts'

// npm run screenshots [-- FOLDER]: the pictures of README.md, of a panel whose service runs for the purpose.

const FOLDER = process.argv[2] ?? new URL('../../docs/images', import.meta.url).pathname

/** Time for the charts of the overview to have something to show. */
const LOOK_MS = 26_000

const teardowns: (() => unknown)[] = []
try {
  const { world, ada } = await createStory({ teardown: (end) => void teardowns.push(end) })
  await mkdir(FOLDER, { recursive: true })
  const panel = await openPanel(world, { height: 720 })
  const { page, show } = panel
  await signIn(panel, { email: world.admin.user.email, password: world.admin.password })
  await page.waitForTimeout(LOOK_MS)
  await page.screenshot({ path: `${FOLDER}/admin-overview.png` })
  await show(`users/${ada.user.id}`)
  await page.evaluate('document.activeElement.blur()')
  await page.screenshot({ path: `${FOLDER}/admin-user.png` })
} finally {
  for (const end of teardowns.reverse()) await end()
}
