import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { brokenConstraint } from '#lib/database/errors.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { holesOf } from './catalogue.ts'
import { tenantTablesOf } from './tables.ts'

const PAGE = join(import.meta.dirname, '../../docs/operations/partitions.md')

t.test('the page partitions a table so that nothing is lost, opened or renamed', async (t) => {
  const db = await createTestDatabase(t)
  const [, block = ''] = /```sql\n([\s\S]*?)```/.exec(await readFile(PAGE, 'utf8')) ?? []
  const insert = `INSERT INTO projects (org_id, id, name, description)
                  SELECT id, gen_random_uuid(), 'The same', '' FROM organizations`
  const all = 'SELECT * FROM projects ORDER BY id'
  await db.query(`INSERT INTO organizations (id, name, slug)
                  SELECT gen_random_uuid(), 'Organization', 'slug-' || n FROM generate_series(1, 40) n`)
  await db.query(insert)
  const before = await db.query(all)
  const constraints = await constraintsOf()

  await db.query(block)
  t.ok((await tenantTablesOf(db)).includes('projects_p15'))
  t.strictSame(await holesOf(db), [])
  t.same(await db.query(all), before)
  t.strictSame(await constraintsOf(), constraints)
  const name = await db.query(insert).catch(brokenConstraint)
  t.equal(name, 'projects_name_key')
  const key = `INSERT INTO projects SELECT org_id, id, 'Another', '' FROM projects`
  t.equal(await db.query(key).catch(brokenConstraint), 'projects_pkey')

  /** Names and definitions of what the table has. */
  function constraintsOf() {
    return db.query(
      `SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint
         WHERE conrelid = 'projects'::regclass AND contype <> 'n'
       UNION ALL SELECT indexname, replace(indexdef, ' ON ONLY ', ' ON ') FROM pg_indexes WHERE tablename = 'projects'
       UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
         WHERE tgrelid = 'projects'::regclass AND NOT tgisinternal
       ORDER BY name, text`,
    )
  }
})
