import type { Database } from '#lib/database/database.ts'

/** Rows that one statement deletes: few enough to hold no lock for long. */
export const BATCH = 1000

/** What is of no use any more, by table. Ended sessions stay for a while, to recognise a stolen refresh token by. */
const OUTDATED = {
  one_time_tokens: { key: 'id', condition: 'expires_at < now()' },
  registrations: { key: 'id', condition: 'expires_at < now()' },
  login_attempts: { key: 'subject', condition: 'expires_at < now()' },
  idempotency_keys: { key: 'id', condition: 'expires_at < now()' },
  sessions: {
    key: 'id',
    condition: "least(ended_at, idle_expires_at, expires_at) < now() - interval '30 days'",
  },
} as const

export type CleanedTable = keyof typeof OUTDATED

export const CLEANED_TABLES = Object.keys(OUTDATED) as CleanedTable[]

/** Deletes a batch of what is outdated and gives how many rows that were. Rows in use are left for the next time. */
export async function deleteOutdated(db: Database, table: CleanedTable): Promise<number> {
  const { key, condition } = OUTDATED[table]
  const deleted = await db.query({
    name: `deleteOutdated_${table}`,
    text: `DELETE FROM ${table} WHERE ${key} IN (
             SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
           RETURNING ${key}`,
  })
  return deleted.length
}
