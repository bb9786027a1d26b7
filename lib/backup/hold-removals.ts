import type pg from 'pg'

/** The advisory lock of those who copy contents. No other lock of ours has two numbers. */
const [CLASS, ID] = [25_959, 1]

/**
 * Has no content be removed from the store until the session ends, so that all that a snapshot of later names is still there
 * when it is copied. Nobody waits for it.
 */
export async function holdRemovals(client: pg.ClientBase): Promise<void> {
  await client.query(`SELECT pg_advisory_lock_shared(${CLASS}, ${ID})`)
}

/**
 * SQL that is true when nobody copies contents. In the statement that says what may be removed: what was to be removed
 * before the lock is so in the snapshot too.
 */
export const NOBODY_COPIES = `NOT EXISTS (SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND classid = ${CLASS} AND objid = ${ID} AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`
