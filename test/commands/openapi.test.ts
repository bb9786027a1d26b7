import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { environment, startProcess } from '#test/support/process.ts'

const ROOT = join(import.meta.dirname, '../..')

t.test('it writes the document that is committed', async (t) => {
  const path = join(t.testdir({}), 'openapi.json')
  const command = startProcess(t, process.execPath, [join(ROOT, 'commands/openapi.ts'), path], {
    env: environment(),
  })
  t.same(await command.exited, { code: 0, signal: null })
  t.equal(command.stdout() + command.stderr(), '')
  t.equal(readFileSync(path, 'utf8'), readFileSync(join(ROOT, 'openapi.json'), 'utf8'))
})
