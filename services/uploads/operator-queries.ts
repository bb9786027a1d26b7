import type { Database } from '#lib/database/database.ts'

/** Deletes the uploads that are not finished, and returns how many there were. */
export async function deleteUnfinished(db: Pick<Database, 'query'>): Promise<number> {
  const rows = await db.query({
    name: 'deleteUnfinishedUploads',
    text: 'DELETE FROM uploads WHERE key IS NOT NULL RETURNING 1 AS deleted',
  })
  return rows.length
}
