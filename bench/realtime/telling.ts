import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'

/** Has a connection of its own to the database of a stage. */
export async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c app.scope=system' })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Writes so many events of new files, as requests do, each told in about 240 bytes; commits once. Returns their ids. */
export async function tell(client: pg.Client, org: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uuidv7())
  await client.query(
    `INSERT INTO events (id, org_id, type, version, subject_type, subject_id, actor_kind, data)
     SELECT id, $1, 'files.created', 1, 'file', id, 'system', '{}' FROM unnest($2::uuid[]) AS id`,
    [org, ids],
  )
  return ids
}
