import { globSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { APART, createQueue, sharedFiles } from './support/shared-files.ts'

const ROOT = join(import.meta.dirname, '..')

const shared = sharedFiles()

t.test('every test file is run: by its name, by a place, or by a command of its folder', async (t) => {
  t.ok(shared.length > 100)
  const apart = globSync(['test/**/*.process.test.ts', `test/{${APART.join()}}/**/*.test.ts`], { cwd: ROOT })
  t.same([...shared, ...apart].sort(), globSync('test/**/*.test.ts', { cwd: ROOT }).sort())
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const commands = Object.values(scripts).join('\n')
  for (const folder of APART) t.ok(commands.includes(`test/${folder}/`), folder)
  t.match(commands, /--processes/)
  t.match(readFileSync(join(ROOT, '.ci/run'), 'utf8'), /\btest:processes\b/)
})

t.test('as many files as there are places run at once', async (t) => {
  const [, jobs] = readFileSync(join(ROOT, '.taprc'), 'utf8').match(/^jobs: (\d+)$/m) ?? []
  t.equal(globSync('test/places/*.ts', { cwd: ROOT }).length, Number(jobs))
})

t.test('a folder has its files, and those that take long begin first', async (t) => {
  const files = sharedFiles(['test/contract', 'test/fuzz'])
  t.ok(files.includes('test/contract/routes.test.ts'))
  t.ok(files.every((file) => /^test\/(contract|fuzz)\//.test(file)))
  const isFirst = (file: string) => readFileSync(join(ROOT, file), 'utf8').startsWith('// Among the first')
  const last = files.findLastIndex(isFirst)
  t.ok(last >= 0 && files.slice(0, last).every(isFirst))
  const queue = createQueue(files)
  t.teardown(() => rmSync(queue, { recursive: true }))
  const entries = readdirSync(queue).sort()
  t.same(
    entries.map((entry) => decodeURIComponent(entry.replace(/^\d+ /, ''))),
    files,
  )
})

t.test('no file sets the time limit of all that share its process, or stops its clock', async (t) => {
  const forAll = /^t\.setTimeout\(|stop-timers\.ts'$/m
  for (const file of shared) t.notMatch(readFileSync(join(ROOT, file), 'utf8'), forAll, file)
})
