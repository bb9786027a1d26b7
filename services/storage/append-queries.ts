import type { Database } from '#lib/database/database.ts'
import type { Progress } from '#lib/object-store/appending.ts'

interface Asked {
  /** The number of who asks, which fences off all with a smaller one. */
  readonly epoch: string
  /** Whether who asks has it now. */
  readonly held: boolean
}

/** Says that an object comes in several requests. */
export async function insertAppend(db: Database, key: string): Promise<void> {
  await db.query({
    name: 'insertObjectAppend',
    text: 'INSERT INTO object_appends (key) VALUES ($1)',
    values: [key],
  })
}

/** Asks for an object, and takes it if nobody has it; returns undefined if it is not being written. */
export async function askForObject(db: Database, key: string, leaseMs: number): Promise<Asked | undefined> {
  const rows = await db.query<Asked>({
    name: 'askForObject',
    text: `UPDATE object_appends a SET epoch = epoch + 1, updated_at = now(),
             holder = CASE WHEN lease_until > now() THEN holder ELSE epoch + 1 END,
             lease_until = CASE WHEN lease_until > now() THEN lease_until
                                ELSE now() + $2 * interval '1 millisecond' END
           FROM stored_objects o WHERE a.key = $1 AND o.key = a.key AND o.state = 'writing'
           RETURNING epoch, holder = epoch AS held`,
    values: [key, leaseMs],
  })
  return rows[0]
}

/** Takes an object whose holder has settled or is gone; returns undefined if somebody has asked later. */
export async function takeObject(
  db: Database,
  key: string,
  { epoch, leaseMs }: { epoch: string; leaseMs: number },
): Promise<{ held: boolean } | undefined> {
  const rows = await db.query<{ held: boolean }>({
    name: 'takeObject',
    text: `UPDATE object_appends SET updated_at = now(),
             holder = CASE WHEN lease_until > now() THEN holder ELSE epoch END,
             lease_until = CASE WHEN lease_until > now() THEN lease_until
                                ELSE now() + $3 * interval '1 millisecond' END
           WHERE key = $1 AND epoch = $2 RETURNING holder = epoch AS held`,
    values: [key, epoch, leaseMs],
  })
  return rows[0]
}

interface AppendRow {
  readonly received: number
  readonly state: object | null
  /** Bytes that the object counts for. */
  readonly taken: number
  /** Whether somebody adds to it. */
  readonly isHeld: boolean
}

/** How far an object is; undefined if it is not being written. */
export async function selectAppend(db: Database, key: string): Promise<AppendRow | undefined> {
  const [row] = await db.query<Omit<AppendRow, 'received' | 'taken'> & Record<'received' | 'taken', string>>({
    name: 'selectObjectAppend',
    text: `SELECT a.received, a.state, o.bytes AS taken, coalesce(a.lease_until > now(), false) AS "isHeld"
           FROM object_appends a JOIN stored_objects o USING (key) WHERE key = $1 AND o.state = 'writing'`,
    values: [key],
  })
  return row && { ...row, received: Number(row.received), taken: Number(row.taken) }
}

/** Says that the holder is there, and how far it is; returns false if somebody else has asked for the object. */
export async function renewAppend(
  db: Database,
  key: string,
  { epoch, leaseMs, progress }: { epoch: string; leaseMs: number; progress: Progress },
): Promise<boolean> {
  const rows = await db.query({
    name: 'renewObjectAppend',
    text: `UPDATE object_appends SET lease_until = now() + $3 * interval '1 millisecond', received = $4, state = $5,
             updated_at = now()
           WHERE key = $1 AND holder = $2 AND epoch = $2
             AND EXISTS (SELECT 1 FROM stored_objects o WHERE o.key = $1 AND o.state = 'writing')
           RETURNING 1 AS renewed`,
    values: [key, epoch, leaseMs, progress.offset, progress.state],
  })
  return rows.length > 0
}

/** Says how much is durable; returns false if the lease is over, and then the progress does not count. */
export async function noteAppend(
  db: Database,
  key: string,
  { epoch, progress }: { epoch: string; progress: Progress },
): Promise<boolean> {
  const rows = await db.query({
    name: 'noteObjectAppend',
    text: `UPDATE object_appends SET received = $3, state = $4, updated_at = now()
           WHERE key = $1 AND holder = $2 AND lease_until > now() RETURNING 1 AS noted`,
    values: [key, epoch, progress.offset, progress.state],
  })
  return rows.length > 0
}

/** Ends a lease; returns false if the lease is over, and then the progress does not count. */
export async function settleAppend(
  db: Database,
  key: string,
  { epoch, progress }: { epoch: string; progress: Progress },
): Promise<boolean> {
  const rows = await db.query({
    name: 'settleObjectAppend',
    text: `UPDATE object_appends SET holder = NULL, lease_until = NULL, received = $3, state = $4, updated_at = now()
           WHERE key = $1 AND holder = $2 AND lease_until > now() RETURNING 1 AS settled`,
    values: [key, epoch, progress.offset, progress.state],
  })
  return rows.length > 0
}

/** Says that nothing is to be added any more; returns false if it is not the holder who says so. */
export async function deleteAppend(db: Database, key: string, epoch: string): Promise<boolean> {
  const rows = await db.query({
    name: 'deleteObjectAppend',
    text: 'DELETE FROM object_appends WHERE key = $1 AND holder = $2 AND lease_until > now() RETURNING 1 AS deleted',
    values: [key, epoch],
  })
  return rows.length > 0
}
