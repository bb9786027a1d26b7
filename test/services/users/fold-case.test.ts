import { join } from 'node:path'
import t from 'tap'
import { migrateDown, migrateUp, migrationStatus } from '#lib/migrations/migrations.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase } from '#test/support/database.ts'

t.test('migration 011 folds case again, and stops where two addresses become one', async (t) => {
  const database = await createEmptyDatabase(t)
  const directory = join(import.meta.dirname, '../../../migrations')
  const options = { connection: connectionTo(database.url), directory, log: () => undefined }
  await migrateUp(options)
  const later = (await migrationStatus(options)).filter(({ version }) => version >= 11)
  await migrateDown({ ...options, steps: later.length })

  const ids = [1, 2, 3].map((digit) => `01997d1c-7b6e-7c3a-9d53-00000000000${digit}`)
  const emails = [
    '\u03bd\u03b9\u03ba\u03bf\u03c2@example.com',
    '\u03bd\u03b9\u03ba\u03bf\u03c3@example.com',
    'Ada@example.com',
  ]
  for (const [index, email] of emails.entries()) {
    await database.query(
      `INSERT INTO users (id, email, username) VALUES ('${ids[index]}', '${email}', 'user${index}')`,
    )
  }
  await t.rejects(migrateUp(options), new RegExp(`differ in case only: ${ids[0]}, ${ids[1]}`))
  await database.query(`DELETE FROM users WHERE id = '${ids[1]}'`)
  await migrateUp(options)
  for (const spelling of [...emails, '\u039d\u0399\u039a\u039f\u03a3@EXAMPLE.com', 'ADA@EXAMPLE.COM']) {
    const found = await database.query(`SELECT FROM users WHERE case_fold(email) = case_fold('${spelling}')`)
    t.equal(found.length, 1, spelling)
  }
})
