import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startProcess } from '#test/support/process.ts'

/** Where the lines expect the service. */
const ADDRESS = 'http://127.0.0.1:8080'

/** The lines of README.md that call the API. */
export async function readmeLines(): Promise<string[]> {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
  return (blocks.find((text) => text.includes('curl')) ?? '').split('\n').filter(Boolean)
}

/** Runs them as they stand against a service, and checks what they print. */
export async function runReadme(t: Test, url: string): Promise<void> {
  const lines = await readmeLines()
  t.equal(lines.length, 6, 'a variable and five calls')
  t.ok(lines[0]?.includes(ADDRESS), 'they are for the default address')
  const script = lines.map((line) => `${line.replace(ADDRESS, url)}; echo`).join('\n')
  const shell = startProcess(t, 'sh', ['-eu', '-c', script])
  t.match(await shell.exited, { code: 0 }, shell.stderr())

  const [, created = '', , me = '', changed = '', ...deleted] = shell.stdout().split('\n')
  t.match(JSON.parse(created), { email: 'ada@example.com', username: 'ada' })
  t.same(JSON.parse(me), JSON.parse(created))
  t.match(JSON.parse(changed), { username: 'ada.lovelace' })
  t.match(deleted.join('\n'), /^HTTP\/1\.1 204 /)
}
