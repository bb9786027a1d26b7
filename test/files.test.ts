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
