import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import packageJson from '#package.json' with { type: 'json' }
import { environment } from '#test/support/process.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')

/** Scripts that run a file of ours, apart from the service itself. */
const SCRIPTS = Object.entries(packageJson.scripts).flatMap(([name, script]) => {
  const [, file] = /\bnode --import \.\/node-version\.js ([\w/-]+\/[\w-]+\.ts)/.exec(script) ?? []
  return file === undefined ? [] : [{ name, file }]
})

t.test('each script says how it is used, and does nothing else', async (t) => {
  t.ok(SCRIPTS.length > 30)
  for (const { name, file } of SCRIPTS) {
    const args = ['--import', './node-version.js', file, '--help']
    const { stdout, stderr } = await run(process.execPath, args, { cwd: ROOT, env: environment() })
    t.match(stdout, /^Usage: npm (?:run |test)/, name)
    t.equal(stderr, '', name)
  }
})

t.test('each script but the test runner refuses options that it does not know', async (t) => {
  for (const { name, file } of SCRIPTS.filter(({ file }) => file !== 'test/run-tap.ts')) {
    const args = ['--import', './node-version.js', file, '--bogus']
    const refused = run(process.execPath, args, { cwd: ROOT, env: environment() })
    await t.rejects(refused, { code: 2, stderr: /Usage: npm (?:run |test)/ }, name)
  }
})
