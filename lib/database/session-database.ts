import type pg from 'pg'
import type { Database, Statement } from './database.ts'
import { type ConnectionOptions, Session } from './session.ts'

/** A session as queries see the database: for commands, which have no pool. */
export function asDatabase(client: pg.ClientBase): Pick<Database, 'query'> {
  return {
    async query<Row extends object>({ text, values = [] }: Statement): Promise<Row[]> {
      return (await client.query<Row>(text, [...values])).rows
    },
  }
}

/** Asks the database over a session of its own that sees the rows of every organization, not through a pooler. */
export async function withSystemSession<T>(
  connection: ConnectionOptions,
  work: (db: Pick<Database, 'query'>) => Promise<T>,
): Promise<T> {
  const client = new Session(connection)
  // A lost connection fails the query; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query("SELECT set_config('app.scope', 'system', false)")
    return await work(asDatabase(client))
  } finally {
    await client.end().catch(() => undefined)
  }
}
