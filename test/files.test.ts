import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { APART } from './support/run-folder.ts'

const TEST = import.meta.dirname

const files = globSync('**/*.test.ts', { cwd: TEST }).sort()
const shared = files.filter(
  (file) => !file.endsWith('.process.test.ts') && !APART.includes(file.split('/')[0] ?? ''),
)

/** Whether a suite.ts stands in the file's folder or in one above it. */
function hasSuite(file: string): boolean {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(TEST, folder, 'suite.ts'))) return true
    if (folder === '.') return false
  }
}

t.test('every test file is run: by its name, by a suite, or by a command of its folder', async (t) => {
  t.ok(shared.length > 100)
  t.same(
    shared.filter((file) => !hasSuite(file)),
    [],
  )
  const { scripts } = JSON.parse(readFileSync(join(TEST, '../package.json'), 'utf8'))
  const commands = Object.values(scripts).join('\n')
  for (const folder of APART) t.ok(commands.includes(`test/${folder}/`), folder)
  t.match(commands, /--processes/)
  t.match(readFileSync(join(TEST, '../.ci/run'), 'utf8'), /\btest:processes\b/)
})

t.test('no file of a suite sets the time limit of the whole suite', async (t) => {
  for (const file of shared) t.notMatch(readFileSync(join(TEST, file), 'utf8'), /^t\.setTimeout\(/m, file)
})
