import pg from 'pg'

/** SQL: whether the schema `n` is not PostgreSQL's own. */
export const OWN_SCHEMA = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

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
