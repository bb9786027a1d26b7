import pg from 'pg'
import type { Test } from 'tap'
import type { TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'

/** A transaction that a test holds open, so that others have to wait for it. */
export interface HeldTransaction {
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** Begins a transaction, runs a statement in it and leaves it open. */
export async function holdTransaction(
  t: Test,
  db: TestDatabase,
  text: string,
  values: unknown[] = [],
): Promise<HeldTransaction> {
  const client = new pg.Client(db.url)
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.end())
  await client.query('BEGIN')
  await client.query(text, values)
  const end = (command: string) => async () => {
    await client.query(command)
  }
  return { commit: end('COMMIT'), rollback: end('ROLLBACK') }
}

/** Waits until this many connections wait for a lock; with `rows`, those do not count that wait for an advisory lock. */
export async function waiting(db: TestDatabase, count: number, { rows = false } = {}): Promise<void> {
  await eventually(async () => {
    const found = await db.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND NOT ($1 AND wait_event = 'advisory')`,
      [rows],
    )
    return found.length >= count
  })
}
