import type { TestDatabase } from '#test/support/database.ts'

/** A row of a table, as JSON. */
interface Row {
  table: string
  content: string
}

/** Rows by their place and the transaction that wrote them: one that was written again is another. */
export type Snapshot = ReadonlyMap<string, Row>

/** Changes of a table's rows, each as JSON. */
export interface Changes {
  written: string[]
  removed: string[]
}

/** Reads every row of every table of the service, and the jobs; not the heartbeat of instances. */
export async function takeSnapshot(db: TestDatabase): Promise<Snapshot> {
  const tables = await db.query<{ name: string }>(
    `SELECT 'public.' || tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'instances'`,
  )
  const selects = [...tables.map(({ name }) => name), 'pgboss.job'].map(
    (name) => `SELECT '${name}' AS "table", tableoid || ' ' || ctid || ' ' || xmin AS version,
                      to_jsonb(r)::text AS content FROM ${name} r`,
  )
  const rows = await db.query<Row & { version: string }>(selects.join(' UNION ALL '))
  return new Map(rows.map(({ version, ...row }) => [version, row]))
}

/**
 * Compares two snapshots, by table: rows that were written, even with the same content, and rows that are not there
 * as they were.
 *
 * @param normalise makes what differs by nature the same (ids, times, random bytes); undefined leaves a row out
 */
export function changesBetween(
  before: Snapshot,
  after: Snapshot,
  normalise: (row: Row) => string | undefined,
): Record<string, Changes> {
  const changes: Record<string, Changes> = {}
  const collect = (from: Snapshot, other: Snapshot, kind: keyof Changes) => {
    for (const [version, row] of from) {
      const content = other.has(version) ? undefined : normalise(row)
      if (content === undefined) continue
      changes[row.table] ??= { written: [], removed: [] }
      changes[row.table]?.[kind].push(content)
    }
  }
  collect(after, before, 'written')
  collect(before, after, 'removed')
  for (const { written, removed } of Object.values(changes)) {
    written.sort()
    removed.sort()
  }
  return changes
}
