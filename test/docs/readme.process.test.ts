import { spawnSync } from 'node:child_process'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { startService } from '#test/support/process.ts'
import { readmeLines, runReadme } from './readme-lines.ts'

const hasCurl = spawnSync('curl', ['--version']).error === undefined
const skip = hasCurl ? false : 'curl is not installed'

/** Options that curl 7.74 has, of Debian 11: `--json` came with 7.82, `--fail-with-body` with 7.76. */
const OLD_OPTIONS = new Set(['-s', '-i', '-H', '-d', '-X'])

t.test('the lines of README.md work as they are written', { skip }, async (t) => {
  const { url: database } = await createTestDatabase(t)
  const { url } = await startService(t, { APP_DATABASE__URL: database })
  await runReadme(t, url)
})

t.test('they need no new curl', async (t) => {
  for (const line of await readmeLines()) {
    const words = line
      .replace(/\| sed.*/, '')
      .replace(/'[^']*'|"[^"]*"/g, 'quoted')
      .split(/\s+/)
    for (const option of words.filter((word) => word.startsWith('-'))) t.ok(OLD_OPTIONS.has(option), option)
  }
})
