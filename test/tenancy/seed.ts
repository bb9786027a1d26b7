import type { TestDatabase } from '#test/support/database.ts'
import type { TestOrganization } from '#test/support/organizations.ts'
import { tenantColumn, tenantTablesOf } from './tables.ts'

/** Values of columns that must have one, by their types. A type that is missing here needs its line. */
const VALUES: Readonly<Record<string, string>> = {
  boolean: 'false',
  bytea: "'\\x00'",
  integer: '1',
  smallint: '1',
  bigint: '1',
  inet: "'192.0.2.1'",
  jsonb: "'{}'",
  text: "'The same'",
  'text[]': "'{same}'",
  'timestamp(3) with time zone': 'now()',
  uuid: 'gen_random_uuid()',
}

interface Column {
  name: string
  type: string
  /** The table that it refers to, and the column there. */
  target: string | null
  target_column: string | null
}

/** Inserts a row of an organization into each tenant table that has none, so that a new table is proven too. */
export async function seedOthers(
  db: Pick<TestDatabase, 'query'>,
  { organization, owner }: TestOrganization,
): Promise<void> {
  for (const table of await tenantTablesOf(db)) {
    const org = `'${organization.id}'`
    const rows = await db.query(`SELECT FROM ${table} WHERE ${tenantColumn(table)} = ${org}`)
    if (rows.length > 0) continue
    const columns = await columnsOf(db, table)
    const values = columns.map(({ name, type, target, target_column }) => {
      if (name === tenantColumn(table)) return org
      if (target === 'users') return `'${owner.user.id}'`
      if (target !== null)
        return `(SELECT ${target_column} FROM ${target} WHERE ${tenantColumn(target)} = ${org} LIMIT 1)`
      const value = VALUES[type]
      if (value === undefined)
        throw new Error(`test/tenancy/seed.ts has no value for ${table}.${name}, ${type}`)
      return value
    })
    await db.query(`INSERT INTO ${table} (${columns.map(({ name }) => name)}) VALUES (${values})`)
  }
}

/** The columns that must have a value and have no default. */
function columnsOf(db: Pick<TestDatabase, 'query'>, table: string): Promise<Column[]> {
  return db.query<Column>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            f.confrelid::regclass::text AS target, t.attname AS target_column
     FROM pg_attribute a
     LEFT JOIN LATERAL (SELECT confrelid, confkey[array_position(conkey, a.attnum)] AS position
                        FROM pg_constraint WHERE contype = 'f' AND conrelid = a.attrelid AND a.attnum = ANY (conkey)
                        ORDER BY cardinality(conkey) LIMIT 1) f ON true
     LEFT JOIN pg_attribute t ON t.attrelid = f.confrelid AND t.attnum = f.position
     WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef`,
    [table],
  )
}
