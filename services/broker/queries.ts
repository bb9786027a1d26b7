import type { Database } from '#lib/database/database.ts'

/**
 * Notes that a consumer handles an event; returns whether it is the first time. It waits for a transaction that is handling
 * the same event.
 */
export async function insertConsumed(db: Database, consumer: string, eventId: string): Promise<boolean> {
  const rows = await db.query({
    name: 'insertConsumedEvent',
    text: `INSERT INTO consumed_events (event_id, consumer) VALUES ($1, $2)
           ON CONFLICT (event_id, consumer) DO NOTHING RETURNING event_id`,
    values: [eventId, consumer],
  })
  return rows.length > 0
}
