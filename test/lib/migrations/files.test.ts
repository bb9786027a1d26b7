import { join } from 'node:path'
import t from 'tap'
import { listMigrations } from '#lib/migrations/files.ts'

t.test('files are listed oldest first, others than SQL are left alone', async (t) => {
  const directory = t.testdir({
    '002.do.b-2.sql': '',
    '001.do.a.sql': '',
    '001.undo.a.sql': '',
    'README.md': '',
  })
  t.same(await listMigrations(directory), [
    { version: 1, name: 'a', up: join(directory, '001.do.a.sql'), down: join(directory, '001.undo.a.sql') },
    { version: 2, name: 'b-2', up: join(directory, '002.do.b-2.sql'), down: undefined },
  ])
})

const refused = [
  { files: ['001.do.a.sql', '003.do.c.sql'], message: /^003\.do\.c\.sql: version 2 is missing/ },
  { files: ['002.do.b.sql'], message: /^002\.do\.b\.sql: version 1 is missing/ },
  {
    files: ['001.do.a.sql', '001.do.b.sql'],
    message: /^001\.do\.b\.sql: 001\.do\.a\.sql has the same version/,
  },
  { files: ['001.do.a.sql', '0001.do.b.sql'], message: /has the same version/ },
  { files: ['001.undo.a.sql'], message: /^001\.undo\.a\.sql: there is no do file of this name/ },
  { files: ['001.do.a.sql', '001.undo.b.sql'], message: /^001\.undo\.b\.sql: there is no do file/ },
  { files: ['1.do.a.sql'], message: /^1\.do\.a\.sql: a migration is named/ },
  { files: ['001.up.a.sql'], message: /a migration is named/ },
  { files: ["001.do.it's.sql"], message: /a migration is named/ },
  { files: ['001.do.a.SQL', '001.do.a.sql.sql'], message: /a migration is named/ },
]

for (const { files, message } of refused) {
  t.test(`refuses ${files.join(' and ')}`, async (t) => {
    const directory = t.testdir(Object.fromEntries(files.map((file) => [file, 'SELECT 1'])))
    await t.rejects(listMigrations(directory), { name: 'MigrationError', message })
  })
}
