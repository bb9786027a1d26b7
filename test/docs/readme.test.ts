import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '../database.ts'
import { startProcess, startService } from '../process.ts'

const hasCurl = spawnSync('curl', ['--version']).error === undefined
const skip = hasCurl ? false : 'curl is not installed'

t.test('the lines of README.md work as they are written', { skip }, async (t) => {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
  const lines =
    blocks
      .find((text) => text.includes('curl'))
      ?.split('\n')
      .filter(Boolean) ?? []
  t.equal(lines.length, 6, 'a variable and five calls')

  const { url: database } = await createTestDatabase(t)
  const { url } = await startService(t, { APP_DATABASE__URL: database })
  const address = 'http://127.0.0.1:8080'
  t.ok(lines[0]?.includes(address), 'they are for the default address')
  const script = lines.map((line) => `${line.replace(address, url)}; echo`).join('\n')
  const shell = startProcess(t, 'sh', ['-eu', '-c', script])
  t.match(await shell.exited, { code: 0 }, shell.stderr())

  const [, created = '', , me = '', changed = '', ...deleted] = shell.stdout().split('\n')
  t.match(JSON.parse(created), { email: 'ada@example.com', username: 'ada' })
  t.same(JSON.parse(me), JSON.parse(created))
  t.match(JSON.parse(changed), { username: 'ada.lovelace' })
  t.match(deleted.join('\n'), /^HTTP\/1\.1 204 /)
})
