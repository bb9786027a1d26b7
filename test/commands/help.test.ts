import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '#test/support/command.ts'

const COMMANDS = join(import.meta.dirname, '../../commands')

/** Commands export nothing. */
function isHelper(file: string): boolean {
  return /^export /m.test(readFileSync(join(COMMANDS, file), 'utf8'))
}

const files = () => readdirSync(COMMANDS).filter((file) => file.endsWith('.ts') && !isHelper(file))

t.test('every command says how it is used, and does nothing else', async (t) => {
  t.ok(files().length > 10)
  for (const file of files()) {
    // A configuration that is not valid must not matter.
    const help = await runCommand(file.replace('.ts', ''), ['--help'], { env: { APP_SERVER__PORT: 'none' } })
    t.match(help, { code: 0, stdout: /^Usage: npm run /, stderr: '' }, file)
  }
})

t.test('every command refuses options that it does not know, and writes nothing', async (t) => {
  for (const file of files()) {
    const name = file.replace('.ts', '')
    const refused = await runCommand(name, ['--bogus'], { env: { APP_SERVER__PORT: '0' } })
    t.match(
      refused,
      { code: 2, stdout: '', stderr: /^These arguments are wrong.*"--bogus"\nUsage: npm run / },
      file,
    )
  }
  t.notOk(existsSync('--bogus'))
})
