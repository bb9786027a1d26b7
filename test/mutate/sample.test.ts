import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { amount } from '#test/support/amount.ts'
import { sharedFiles } from '#test/support/shared-files.ts'
import { apply, mutationsOf } from './mutations.ts'
import { findTestsIn } from './related.ts'
import { type Candidate, choose, FOLDERS, sampleOf, shuffle } from './sample.ts'
import { findByWordsIn } from './words.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Mutants of a text, in the order of a seed. */
function ordered(texts: Record<string, string>, seed: string): string[] {
  const candidates = Object.entries(texts).flatMap(([path, text]) =>
    mutationsOf(path, text).map((mutation): Candidate => ({ path, mutation })),
  )
  return shuffle(candidates, seed).map(({ path, mutation }) => `${path}: ${mutation.description}`)
}

t.test('an order by the seed, in which a change of one file leaves the others as they were', async (t) => {
  const [a, b] = ['if (a < 1) f(2)\nif (a < 1) f(2)', 'if (b < 3) g(4)']
  const order = ordered({ a, b }, '1')
  t.equal(order.length, 15)
  t.strictSame(ordered({ b, a }, '1'), order)
  t.strictNotSame(ordered({ a, b }, '2'), order)
  const ofA = (all: readonly string[]) => all.filter((line) => line.startsWith('a:'))
  t.strictSame(ofA(ordered({ a, b: 'h()' }, '1')), ofA(order))
})

t.test('a sample of the project has mutants of every folder', async (t) => {
  const folders = (of: readonly string[]) =>
    new Set(sampleOf(ROOT, of, '1').map(({ path }) => path.split('/')[0]))
  t.strictSame([...folders(FOLDERS)].sort(), [...FOLDERS].sort())
  t.strictSame([...folders(['lib/waiting', 'process/shutdown.ts'])].sort(), ['lib', 'process'])
})

t.test('some of many, evenly', async (t) => {
  t.strictSame(choose([1, 2, 3, 4, 5, 6], 3), [1, 3, 5])
  t.strictSame(choose([1, 2], 3), [1, 2])
})

t.test('the tests of a mutant: the nearest first, each once, and some for what nobody imports', async (t) => {
  const find = findTestsIn(ROOT)
  const shared = new Set(sharedFiles())
  const of = (path: string, line = 1) =>
    find({ path, mutation: { start: 0, end: 0, replacement: '', line, description: '' } })
  t.equal(of('services/webhooks/signature.ts').near[0], 'test/services/webhooks/signature.test.ts')
  t.match(of('services/sessions/queries.ts').near.join(' '), /auth\/sessions\.test\.ts/)
  const projects = of('routes/api/v1/organizations/_organization_id/projects/index.ts').near.join(' ')
  t.match(projects, /projects\.test\.ts.*contract\/house-rules\.test\.ts/)
  for (const path of ['lib/database/run.ts', 'services/projects/events.ts', 'process/shutdown.ts']) {
    const { near, far } = of(path)
    t.ok(near.length + far.length > 0 && new Set(near).size === near.length, path)
    t.strictSame(
      [...near, ...far].filter((test) => shared.has(test)),
      near,
      path,
    )
  }
})

t.test('tests that speak of what a line is about', async (t) => {
  const folder = t.testdir({
    'a.ts': 'const first = 1\n\n\n\n\nlet impersonatorId = b\n',
    'one.test.ts': '// The first of several, and a const',
    'two.test.ts': '// Who is an impersonator, and a const',
  })
  const find = findByWordsIn(folder, ['one.test.ts', 'two.test.ts'])
  t.strictSame(find('a.ts', 6, 2), ['two.test.ts'])
  t.strictSame(find('a.ts', 1, 2), ['one.test.ts'])
})

t.test('what is tried is valid, and fails for what it does', async (t) => {
  const texts = new Map<string, string>()
  for (const { path, mutation } of sampleOf(ROOT, FOLDERS, 'valid').slice(
    0,
    amount({ few: 100, many: 2000 }),
  )) {
    const text = texts.get(path) ?? readFileSync(join(ROOT, path), 'utf8')
    texts.set(path, text)
    const { diagnostics = [] } = ts.transpileModule(apply(text, mutation), { reportDiagnostics: true })
    t.strictSame(diagnostics, [], `${path}:${mutation.line}: ${mutation.description}`)
  }
})
