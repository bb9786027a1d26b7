import type { Database } from '#lib/database/database.ts'
import { onlyRow } from '#lib/database/only-row.ts'

/** An instance as the table has it. */
export interface Instance {
  readonly id: string
  readonly version: string
  readonly startedAt: Date
}

/** Answer to a heartbeat. */
export interface Heard {
  /** How many others live. */
  readonly others: number
  /** Milliseconds since our own heartbeat before this one, by the database's clock; null when it has no such row. */
  readonly silence: number | null
}

/**
 * Records that an instance lives, and returns who else does.
 *
 * @param silence milliseconds without a heartbeat after which an instance is gone
 */
export async function recordInstance(
  db: Database,
  { id, version, startedAt }: Instance,
  silence: number,
): Promise<Heard> {
  const rows = await db.query<Heard>({
    name: 'recordInstance',
    text: `WITH beat AS (
             INSERT INTO instances (id, version, started_at, seen_at) VALUES ($1, $2, $3, clock_timestamp())
             ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
           ), gone AS (
             DELETE FROM instances WHERE seen_at < clock_timestamp() - interval '1 hour'
           )
           SELECT count(*) FILTER (
                    WHERE id <> $1 AND seen_at > clock_timestamp() - $4 * interval '1 millisecond'
                  )::integer AS others,
                  1000 * extract(epoch FROM clock_timestamp() - max(seen_at) FILTER (WHERE id = $1))::float8
                    AS silence
           FROM instances`,
    values: [id, version, startedAt, silence],
  })
  return onlyRow(rows)
}

export async function deleteInstance(db: Database, id: string): Promise<void> {
  await db.query({ name: 'deleteInstance', text: 'DELETE FROM instances WHERE id = $1', values: [id] })
}

/** An instance that serves. */
export interface LivingInstance {
  id: string
  version: string
  started_at: string
  seen_at: string
}

/** Those whose heartbeat was heard, the oldest first. */
export function selectInstances(db: Database, silence: number): Promise<LivingInstance[]> {
  return db.query<LivingInstance>({
    name: 'selectInstances',
    text: `SELECT id, version, started_at, seen_at FROM instances
           WHERE seen_at > clock_timestamp() - $1 * interval '1 millisecond' ORDER BY started_at, id LIMIT 1000`,
    values: [silence],
  })
}
