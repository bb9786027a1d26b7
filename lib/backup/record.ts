import type { Database } from '#lib/database/database.ts'
import { type ConnectionOptions, Session } from '#lib/database/session.ts'
import type { Manifest } from './manifest.ts'

/**
 * Records a backup in the database that it is of, for the metric and the alert.
 *
 * @throws the driver's error, for example from a standby, or for a role that may only read.
 */
export async function recordBackup(
  connection: ConnectionOptions,
  { created_at, dump }: Pick<Manifest, 'created_at' | 'dump'>,
): Promise<void> {
  await withClient(connection, (client) =>
    client.query(
      `INSERT INTO backups (created_at, size) VALUES ($1, $2)
       ON CONFLICT (is_last) DO UPDATE SET created_at = excluded.created_at, size = excluded.size
       WHERE backups.created_at < excluded.created_at`,
      [created_at, dump.size],
    ),
  )
}

const SELECT = 'SELECT extract(epoch FROM created_at)::float8 AS time FROM backups'

/** The same as `findLastBackupTime`, for a command. */
export async function askLastBackupTime(connection: ConnectionOptions): Promise<number | undefined> {
  return withClient(
    connection,
    async (client) => (await client.query<{ time: number }>(SELECT)).rows[0]?.time,
  )
}

/** Returns the moment (Unix time, seconds) whose state the last recorded backup holds, or undefined without one. */
export async function findLastBackupTime(db: Database): Promise<number | undefined> {
  const [row] = await db.query<{ time: number }>({
    name: 'findLastBackupTime',
    text: SELECT,
    pipelined: true,
  })
  return row?.time
}

async function withClient<T>(
  connection: ConnectionOptions,
  work: (client: Session) => Promise<T>,
): Promise<T> {
  const client = new Session({ ...connection, application_name: 'groundwork-backup' })
  // A lost connection fails the query; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
