import pg from 'pg'
import { connectionOptions } from '#config/engine/database-connection.ts'
import type { Config } from '#config/schema/schema.ts'
import { databaseError } from '#lib/database/errors.ts'
import { Session } from '#lib/database/session.ts'
import type { Finding } from './check.ts'

/**
 * Asks the database over a session that is opened for it.
 *
 * @param unable the finding when the database does not answer, or lacks a table of this version
 */
export async function askDatabase(
  database: Config['database'],
  ask: (client: pg.Client) => Promise<readonly Finding[]>,
  unable: Finding,
): Promise<readonly Finding[]> {
  const client = new Session(await connectionOptions(database))
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await ask(client)
  } catch (error) {
    if (databaseError(error) !== error || isMissing(error)) return [unable]
    throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Whether a table or a column is not there. */
function isMissing(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '42P01' || error.code === '42703')
}
