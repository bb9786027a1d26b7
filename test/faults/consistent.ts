import type { Test } from 'tap'
import { deleteAllExpired } from '#lib/cleanup/expired-rows.ts'
import { removeObjectsJob } from '#services/storage/jobs.ts'
import { expiry } from '#services/uploads/expiry.ts'
import type { TestDatabase } from '#test/support/database.ts'
import { keysOf } from '#test/support/files.ts'
import { startInstance } from '#test/support/instances.ts'

/**
 * Checks what was left when all instances were gone and their time was over: each object has its row, each row its object,
 * and the counts of space are their sums.
 *
 * @param env settings of the store
 */
export async function isConsistent(
  t: Test,
  db: Pick<TestDatabase, 'url' | 'query'>,
  env: Record<string, string>,
): Promise<void> {
  const app = await startInstance(t, db, { ...env, APP_ROLE: 'web' })
  const run = { id: '', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
  // As if the time of those that nobody finished were over, and the hour after it.
  await db.query("UPDATE uploads SET expires_at = now() - interval '1 day' WHERE key IS NOT NULL")
  await deleteAllExpired(app.db, expiry, run.signal)
  await db.query("UPDATE stored_objects SET expires_at = now() - interval '1 day' WHERE state = 'writing'")
  await removeObjectsJob.handler(app.ctx, {}, run)
  await db.query("UPDATE stored_objects SET expires_at = now() WHERE state = 'doomed'")
  await removeObjectsJob.handler(app.ctx, {}, run)
  const objects = await db.query<{ key: string }>('SELECT key FROM stored_objects ORDER BY key')
  t.same(
    await keysOf(app),
    objects.map(({ key }) => key),
    'no object is without a row, and no row without one',
  )
  const wrong = await db.query(
    `SELECT space_id, bytes FROM storage_usage u WHERE bytes <> (
       SELECT coalesce(sum(bytes), 0) FROM stored_objects o WHERE o.space_id = u.space_id)`,
  )
  t.same(wrong, [], 'the space is what the objects take')
  t.same(
    await db.query(
      'SELECT 1 FROM files f LEFT JOIN stored_objects o USING (key) WHERE f.key IS NOT NULL AND o.state IS DISTINCT FROM $1',
      ['kept'],
    ),
    [],
  )
}
