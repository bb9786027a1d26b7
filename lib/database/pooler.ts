import pg from 'pg'
import { UnusableSession } from './unusable-session.ts'

/** The statement by which a pooler is asked whether it keeps track of those that are prepared. */
const PROBE = 'groundwork_is_tracked'

const DUPLICATE_PREPARED_STATEMENT = '42P05'

/**
 * Makes sure that the pooler before PostgreSQL keeps track of prepared statements.
 *
 * @param client in a transaction, so that one server does all of it
 * @throws UnusableSession
 */
export async function assertTracksPreparedStatements(client: pg.Client): Promise<void> {
  if (await tracksPreparedStatements(client)) return
  throw new UnusableSession(
    'database.prepared_statements is true, and the pooler does not keep track of prepared statements: set ' +
      'max_prepared_statements = 200 of PgBouncer, or APP_DATABASE__PREPARED_STATEMENTS=auto',
    { reason: 'the pooler before the database does not keep track of prepared statements' },
  )
}

/**
 * A pooler that keeps track prepares a statement on each server that needs it, under a name of its own, so the server has
 * none of our name.
 */
async function tracksPreparedStatements(client: pg.Client): Promise<boolean> {
  try {
    const { rows } = await client.query<{ is_ours: boolean }>({
      name: PROBE,
      text: 'SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE name = $1) AS is_ours',
      values: [PROBE],
    })
    if (rows[0]?.is_ours === false) return true
    // The server is others' next.
    await client.query(`DEALLOCATE ${PROBE}`)
    return false
  } catch (error) {
    // Another session left it there.
    if (error instanceof pg.DatabaseError && error.code === DUPLICATE_PREPARED_STATEMENT) return false
    throw error
  }
}
