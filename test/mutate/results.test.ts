import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mutationsOf } from './mutations.ts'
import { openResults } from './results.ts'

t.test('a result lasts as long as the file, and the tests that it depends on', async (t) => {
  const root = t.testdir({ 'a.ts': 'f(1)', 'a.test.ts': '', 'b.test.ts': '' })
  const [dropped, changed] = mutationsOf('a.ts', 'f(1)')
  if (dropped === undefined || changed === undefined) throw new Error('there are two mutants')
  const tests = ['a.test.ts', 'b.test.ts']
  const open = (fresh = false) => openResults(join(root, 'results'), { root, path: 'a.ts', fresh })
  open().keep(dropped, tests, { verdict: 'failed', failed: ['b.test.ts'] })
  open().keep(changed, tests, { verdict: 'passed', failed: [] })
  const found = () => [dropped, changed].map((mutation) => open().find(mutation, tests)?.verdict)
  t.strictSame(found(), ['failed', 'passed'])
  writeFileSync(join(root, 'a.test.ts'), '// more')
  t.strictSame(found(), ['failed', undefined], 'another test may notice it')
  writeFileSync(join(root, 'b.test.ts'), '// less')
  t.strictSame(found(), [undefined, undefined])
  writeFileSync(join(root, 'b.test.ts'), '')
  t.strictSame(found(), ['failed', undefined])
  writeFileSync(join(root, 'a.ts'), 'f(2)')
  t.strictSame(found(), [undefined, undefined])
  open(true)
  t.strictSame(found(), [undefined, undefined])
})
