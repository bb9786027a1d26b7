import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

// A process for each, on a machine that may be busy.
t.setTimeout(300_000)

const COMMANDS = join(import.meta.dirname, '../../commands')

/** Commands export nothing. */
function isHelper(file: string): boolean {
  return /^export /m.test(readFileSync(join(COMMANDS, file), 'utf8'))
}

t.test('every command says how it is used, and does nothing else', async (t) => {
  const files = readdirSync(COMMANDS).filter((file) => file.endsWith('.ts') && !isHelper(file))
  t.ok(files.length > 10)
  for (const file of files) {
    // A configuration that is not valid must not matter.
    const env = { ...process.env, APP_SERVER__PORT: 'none' }
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(COMMANDS, file), '--help'], {
      env,
      encoding: 'utf8',
    })
    t.match({ status, stdout, stderr }, { status: 0, stdout: /^Usage: npm run /, stderr: '' }, file)
  }
})
