import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { holesOf } from './catalogue.ts'
import { tenantTablesOf } from './tables.ts'

/** Changes that somebody could make, each with what is to be found. */
const MUTATIONS: readonly (readonly [sql: string, found: RegExp])[] = [
  ['DROP POLICY tenant ON projects', /^projects has no policy tenant/],
  ['DROP POLICY system ON memberships', /^memberships has no policy system/],
  ['ALTER TABLE projects NO FORCE ROW LEVEL SECURITY', /^projects does not force/],
  ['ALTER TABLE projects DISABLE ROW LEVEL SECURITY', /^projects has no row-level security/],
  ['CREATE POLICY extra ON projects FOR SELECT USING (true)', /^projects has another policy extra/],
  ['ALTER POLICY tenant ON projects USING (true)', /^projects has another policy tenant/],
  ['ALTER POLICY tenant ON projects WITH CHECK (true)', /^projects has another policy tenant/],
  [
    'ALTER TABLE projects DROP CONSTRAINT projects_pkey, ADD PRIMARY KEY (id)',
    /^projects_pkey is unique among all/,
  ],
  ['CREATE UNIQUE INDEX bad ON projects (id)', /^bad is unique among all/],
  ['ALTER TABLE projects DROP CONSTRAINT projects_org_id_fkey', /^projects does not belong/],
  ['CREATE TABLE drafts (id int)', /^drafts has no org_id/],
  [
    `CREATE TABLE drafts (org_id uuid NOT NULL REFERENCES organizations, id uuid, project uuid REFERENCES bad (id))`,
    /^drafts_project_fkey leaves the organization/,
  ],
  [
    `CREATE TABLE drafts (org_id uuid NOT NULL REFERENCES organizations, id uuid, project uuid,
       FOREIGN KEY (id, org_id) REFERENCES projects (org_id, id))`,
    /^drafts_id_org_id_fkey leaves the organization/,
  ],
  [
    `CREATE TABLE drafts (org_id uuid NOT NULL REFERENCES organizations, project uuid,
       FOREIGN KEY (org_id, project) REFERENCES projects (org_id, id) ON DELETE SET NULL)`,
    /^drafts_org_id_project_fkey takes rows from their organization/,
  ],
  [
    'ALTER TABLE users ADD COLUMN home uuid CONSTRAINT users_home_fkey REFERENCES organizations',
    /^users_home_fkey leads from a global table into an organization/,
  ],
  ['CREATE VIEW all_projects AS SELECT * FROM projects', /^the view all_projects is not/],
  ['CREATE MATERIALIZED VIEW all_projects AS SELECT * FROM projects', /^the materialized view/],
  [
    'CREATE FUNCTION all_of() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1',
    /^the function all_of acts/,
  ],
]

t.test(
  'every table is one of organizations, with the standard policies, or of none, with a reason',
  async (t) => {
    const db = await createTestDatabase(t)
    t.strictSame(await holesOf(db), [])

    // The ten lines of docs/tenancy.md, as they are written there.
    const page = await readFile(join(import.meta.dirname, '../../docs/tenancy.md'), 'utf8')
    const [, example = ''] = /```sql\n([\s\S]*?)```/.exec(page) ?? []
    t.match(example, /CREATE TABLE notes/)
    await db.query('BEGIN')
    // Under another name: somebody who follows docs/extending has this table.
    await db.query(example.replaceAll('notes', 'drafts'))
    t.ok((await tenantTablesOf(db)).includes('drafts'))
    t.strictSame(await holesOf(db), [])
    await db.query('ROLLBACK')

    for (const [sql, expected] of MUTATIONS) {
      await db.query('BEGIN')
      if (sql.includes('bad (id)')) {
        await db.query(
          'CREATE TABLE bad (org_id uuid NOT NULL REFERENCES organizations, id uuid PRIMARY KEY)',
        )
      }
      await db.query(sql)
      const found = await holesOf(db)
      t.ok(
        found.some((hole) => expected.test(hole)),
        `${sql}: ${found.join('; ')}`,
      )
      await db.query('ROLLBACK')
    }
  },
)
