import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import type { ConnectionOptions } from '#lib/database/session.ts'
import { withConnection } from '#lib/migrations/session.ts'
import { selectIndexStates } from './queries.ts'

/**
 * Our indexes on pg-boss's table. Its own end without the job's id: of jobs that were enqueued by one transaction, which
 * have the same moment, every page of a list would read and sort all (decision 110). They are not part of a migration
 * because pg-boss creates the table, after ours have run.
 */
export const INDEXES: Readonly<Record<string, string>> = {
  groundwork_jobs_due:
    "(name, state, start_after, id) WHERE state IN ('created', 'retry', 'active', 'failed') AND NOT blocked",
  groundwork_jobs_created: '(name, created_on, id)',
}

/** Codes of PostgreSQL for when another instance builds the same index at the same time. */
const BUILT_BY_ANOTHER = ['23505', '42P07', '40P01']

/**
 * Builds the indexes that are missing, without being in the way of jobs. It may take as long as the oldest transaction in
 * the database runs, so nothing waits for it; meanwhile lists are slower.
 *
 * @throws what the driver throws, also when the signal is aborted
 */
export async function indexJobs(
  db: Database,
  connection: ConnectionOptions,
  signal: AbortSignal,
): Promise<void> {
  const states = await selectIndexStates(db, Object.keys(INDEXES))
  // What an interrupted build has left is of no use.
  const statements = states.flatMap(({ name, is_valid, is_being_built }) => {
    if (is_valid === true || is_being_built) return []
    const build = `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${name} ON pgboss.job_common ${INDEXES[name]}`
    return is_valid === false ? [`DROP INDEX CONCURRENTLY IF EXISTS pgboss.${name}`, build] : [build]
  })
  if (statements.length === 0) return
  await withConnection({ connection }, async (client) => {
    const stop = () => void client.end().catch(() => undefined)
    signal.addEventListener('abort', stop)
    try {
      signal.throwIfAborted()
      for (const statement of statements) await client.query(statement)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (!BUILT_BY_ANOTHER.includes(code)) throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  })
}

/** Does so while others go on; what goes wrong is told in the log. */
export function indexInBackground(
  db: Database,
  { connection, signal, log }: { connection: ConnectionOptions; signal: AbortSignal; log: Log },
): void {
  indexJobs(db, connection, signal).catch((error) => {
    if (!signal.aborted) log.warn({ err: error }, 'lists of jobs have no index; they are slower')
  })
}
