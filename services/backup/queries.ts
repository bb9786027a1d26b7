import pg from 'pg'

/** A table by its two names. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

const OWN_SCHEMA = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

/** Every table that has rows of its own and keeps them, partitions included, by name. */
export async function selectTables(db: pg.ClientBase): Promise<TableName[]> {
  const { rows } = await db.query<TableName>(`
    SELECT n.nspname AS schema, c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${OWN_SCHEMA}
    ORDER BY n.nspname, c.relname`)
  return rows
}

export async function countRows(db: pg.ClientBase, table: TableName): Promise<number> {
  const { rows } = await db.query<{ rows: string }>(`SELECT count(*) AS rows FROM ONLY ${quoted(table)}`)
  return Number(rows[0]?.rows)
}

/** The schemas in which there is anything: relations, functions or types. An empty `public` is not one. */
export async function selectUsedSchemas(db: pg.ClientBase): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(`
    SELECT n.nspname AS name FROM pg_namespace n
    WHERE ${OWN_SCHEMA}
      AND (n.nspname <> 'public'
        OR EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
        OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid)
        OR EXISTS (SELECT FROM pg_type WHERE typnamespace = n.oid))
    ORDER BY n.nspname`)
  return rows.map(({ name }) => name)
}

/** SQL that empties a schema. */
export function dropSchema(name: string): string {
  const schema = pg.escapeIdentifier(name)
  if (name !== 'public') return `DROP SCHEMA ${schema} CASCADE;\n`
  // A dump takes this one for given, as every new database has it.
  return 'DROP SCHEMA public CASCADE;\nCREATE SCHEMA public AUTHORIZATION pg_database_owner;\nGRANT USAGE ON SCHEMA public TO PUBLIC;\n'
}

/** SQL that fails unless a table has so many rows. */
export function assertRows({ rows, ...table }: TableName & { readonly rows: number }): string {
  const words = pg.escapeLiteral(`${table.schema}.${table.name} has not the ${rows} rows of the manifest`)
  return (
    `DO $check$ BEGIN IF (SELECT count(*) FROM ONLY ${quoted(table)}) <> ${rows} ` +
    `THEN RAISE EXCEPTION USING MESSAGE = ${words}; END IF; END $check$;\n`
  )
}

function quoted({ schema, name }: TableName): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
}
