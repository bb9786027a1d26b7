import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const TEST = import.meta.dirname

t.test('no test file is left out by the commands that run them', async (t) => {
  const runners = ['../.taprc', '../package.json', ...globSync('suites/*.suite.ts', { cwd: TEST })]
  const text = runners.map((file) => readFileSync(join(TEST, file), 'utf8')).join('\n')
  const folders = new Set(globSync('*/**/*.test.ts', { cwd: TEST }).map((file) => file.split('/')[0] ?? ''))
  t.ok(folders.has('routes'))
  for (const folder of folders) t.match(text, new RegExp(`\\b${folder}\\b`), folder)
})

t.test('no file of a suite sets the time limit of the whole suite', async (t) => {
  const alone = /^(?:clients|commands|docs|faults|hostile|packaging|scale|server|suites)\//
  for (const file of globSync('*/**/*.test.ts', { cwd: TEST })) {
    if (alone.test(file)) continue
    t.notMatch(readFileSync(join(TEST, file), 'utf8'), /^t\.setTimeout\(/m, file)
  }
})
