import pg from 'pg'
import { OWN_SCHEMA } from '#lib/database/schemas.ts'

/** A table by its two names. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

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
