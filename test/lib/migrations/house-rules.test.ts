import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { splitStatements } from '#lib/migrations/statements.ts'

// docs/operations/migrations.md: an index of a table that may be large is built without stopping writes.

const DIRECTORY = join(import.meta.dirname, '../../../migrations')

/** Merged before the rule was checked, and before the first release. What has run cannot change; nothing is added here. */
const EXCEPTIONS = ['009', '011', '018', '020', '023', '025', '029', '031']

t.test('indexes of tables that are there already are built concurrently', async (t) => {
  const found: string[] = []
  for (const file of (await readdir(DIRECTORY)).filter((name) => name.includes('.do.')).sort()) {
    if ((await faultsOf(join(DIRECTORY, file))).length > 0) found.push(file.slice(0, 3))
  }
  t.strictSame(found, EXCEPTIONS)
})

t.test('what the rule finds', async (t) => {
  const folder = t.testdir({
    plain: 'CREATE INDEX a_id ON a (id);',
    unique: 'CREATE UNIQUE INDEX a_id ON public.a (id);',
    own: 'CREATE TABLE a (id int);\nCREATE INDEX a_id ON a (id);',
    good: '-- no transaction\nCREATE INDEX CONCURRENTLY a_id ON a (id);',
    mixed: '-- no transaction\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nALTER TABLE a ADD b int;',
  })
  const faulty = { plain: 1, unique: 1, own: 0, good: 0, mixed: 1 }
  for (const [name, faults] of Object.entries(faulty))
    t.equal((await faultsOf(join(folder, name))).length, faults, name)
})

/** Statements that stop writes of a table for as long as an index takes, or that stand beside an index that may fail. */
async function faultsOf(path: string): Promise<string[]> {
  const script = await readFile(path, 'utf8')
  const statements = splitStatements(script).map(({ text }) => text)
  const made = statements.flatMap(
    (text) => /^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?([\w.]+)/i.exec(text)?.[1] ?? [],
  )
  const isConcurrent = statements.some((text) =>
    /^(?:CREATE|DROP)(?: UNIQUE)? INDEX CONCURRENTLY/i.test(text),
  )
  return statements.filter((text) => {
    const [, isApart, table = ''] =
      /^CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?.*?\bON (?:ONLY )?(?:public\.)?([\w.]+)/is.exec(text) ?? []
    if (table === '') return isConcurrent && !/^DROP INDEX CONCURRENTLY/i.test(text)
    return isApart === undefined && !made.includes(table)
  })
}
