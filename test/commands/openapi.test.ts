import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '#test/support/command.ts'

const ROOT = join(import.meta.dirname, '../..')

t.test('it writes the document that is committed', async (t) => {
  const path = join(t.testdir({}), 'openapi.json')
  t.same(await runCommand('openapi', [path]), { code: 0, stdout: '', stderr: '' })
  t.equal(readFileSync(path, 'utf8'), readFileSync(join(ROOT, 'openapi.json'), 'utf8'))
})
