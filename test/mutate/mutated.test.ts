import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { groupsOf, withMutations } from './mutated.ts'
import { mutationsOf } from './mutations.ts'
import type { Candidate } from './sample.ts'

function mutantsOf(path: string, text: string): Candidate[] {
  return mutationsOf(path, text).map((mutation) => ({ path, mutation }))
}

t.test('several mutations at once, and none afterwards', async (t) => {
  const texts = { 'a.ts': 'f(1)\ng(2)', 'b.ts': 'const a = b < 3' }
  const directory = t.testdir(texts)
  const read = () => ['a.ts', 'b.ts'].map((path) => readFileSync(join(directory, path), 'utf8'))
  const wanted = new Set(['one more: 1 -> 2', 'drop: g(2)', 'operator: < -> <='])
  const candidates = Object.entries(texts)
    .flatMap(([path, text]) => mutantsOf(path, text))
    .filter(({ mutation }) => wanted.has(mutation.description))
  t.strictSame(await withMutations({ directory }, candidates, async () => read()), [
    'f(2)\n;',
    'const a = b <= 3',
  ])
  t.strictSame(read(), Object.values(texts))
  await t.rejects(withMutations({ directory }, candidates, () => Promise.reject(new Error('stopped'))))
  t.strictSame(read(), Object.values(texts))
})

t.test('what changes the same place is not tried together', async (t) => {
  const candidates = [...mutantsOf('a.ts', 'f(1)\ng(2)'), ...mutantsOf('b.ts', 'f(1)')]
  t.strictSame(
    groupsOf(candidates).map((group) =>
      group.map(({ path, mutation }) => `${path}: ${mutation.description}`),
    ),
    [
      ['a.ts: drop: f(1)', 'a.ts: drop: g(2)', 'b.ts: drop: f(1)'],
      ['a.ts: one more: 1 -> 2', 'a.ts: one more: 2 -> 3', 'b.ts: one more: 1 -> 2'],
    ],
  )
})
