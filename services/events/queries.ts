import type { ActingParty } from '#lib/context.ts'
import { onlyRow } from '#lib/database/only-row.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { OutboxEvent, SinkColumn } from './sink.ts'

interface EventRow extends Omit<OutboxEvent, 'subject' | 'actor'> {
  subject_type: string
  subject_id: string
  actor_kind: ActingParty['kind']
  actor_id: string | null
}

/** Makes the transaction the only one that brings events to a sink; false while another is. */
export async function tryLockSink(db: SystemDatabase, sink: string): Promise<boolean> {
  const rows = await db.query<{ locked: boolean }>({
    name: 'tryLockSink',
    text: "SELECT pg_try_advisory_xact_lock(hashtextextended('sink:' || $1, 0)) AS locked",
    values: [sink],
  })
  return onlyRow(rows).locked
}

/** Whether an event waits for a sink, perhaps one that a relay has taken just now. */
export async function someWait(db: SystemDatabase, column: SinkColumn): Promise<boolean> {
  const rows = await db.query<{ waiting: boolean }>({
    name: `someEventsWait:${column}`,
    text: `SELECT EXISTS (SELECT FROM events WHERE ${column} IS NULL) AS waiting`,
  })
  return onlyRow(rows).waiting
}

/**
 * Takes the oldest events that wait for a sink, and that no other relay has, until the transaction ends. Where one relay at
 * a time works, none is passed over because another sink has it.
 */
export async function claimEvents(
  db: SystemDatabase,
  column: SinkColumn,
  limit: number,
  isOrdered = false,
): Promise<OutboxEvent[]> {
  const rows = await db.query<EventRow>({
    name: `claimEvents:${column}`,
    text: `SELECT id, org_id AS organization_id, type, version, subject_type, subject_id, actor_kind, actor_id,
                  request_id, data, occurred_at, impersonator_id, told_to
           FROM events WHERE ${column} IS NULL ORDER BY id LIMIT $1 ${isOrdered ? '' : 'FOR UPDATE SKIP LOCKED'}`,
    values: [limit],
  })
  return rows.map(({ subject_type, subject_id, actor_kind, actor_id, ...event }) => ({
    ...event,
    subject: { type: subject_type, id: subject_id },
    actor: { kind: actor_kind, id: actor_id },
  }))
}

/** Notes that a sink has taken these. */
export async function markTaken(
  db: SystemDatabase,
  column: SinkColumn,
  ids: readonly string[],
): Promise<void> {
  await db.query({
    name: `markEvents:${column}`,
    text: `UPDATE events SET ${column} = now() WHERE id = ANY ($1)`,
    values: [ids],
  })
}

/** Seconds that the oldest event has waited for a sink; 0 when none waits. */
export async function selectOldestAge(db: SystemDatabase, column: SinkColumn): Promise<number> {
  const rows = await db.query<{ age: number }>({
    name: `selectOldestEvent:${column}`,
    text: `SELECT greatest(0, extract(epoch FROM now() - occurred_at))::float8 AS age
           FROM events WHERE ${column} IS NULL ORDER BY id LIMIT 1`,
  })
  return rows[0]?.age ?? 0
}

/** Makes the oldest events after an id wait for a sink again, that it may have; returns their ids, oldest first. */
export async function unmarkTaken(
  db: SystemDatabase,
  column: SinkColumn,
  { from, limit }: { readonly from: string; readonly limit: number },
): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: `unmarkEvents:${column}`,
    text: `WITH chosen AS (
             SELECT id FROM events WHERE id > $1 AND ${column} IS NOT NULL AND told_to IS NULL
             ORDER BY id LIMIT $2 FOR UPDATE),
           changed AS (
             UPDATE events SET ${column} = NULL FROM chosen WHERE events.id = chosen.id RETURNING events.id)
           SELECT id FROM changed ORDER BY id`,
    values: [from, limit],
  })
  return rows.map(({ id }) => id)
}
