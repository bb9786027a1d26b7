import type { Database } from '#lib/database/database.ts'

/** An answer as it was sent. */
export interface Answer {
  readonly status: number
  /** URL of what was created. */
  readonly location: string | null
  /** Entity tag of what was created. */
  readonly etag: string | null
  /** JSON. */
  readonly body: string
}

/** An answer as the table has it. A committed row has one, unless somebody else has written to the table. */
export type StoredAnswer = { readonly [Part in keyof Answer]: Answer[Part] | null } & {
  readonly fingerprint: Buffer
}

export async function selectAnswer(db: Database, id: Buffer): Promise<StoredAnswer | undefined> {
  const rows = await db.query<StoredAnswer>({
    name: 'selectAnswer',
    text: `SELECT fingerprint, status, location, etag, body FROM idempotency_keys
           WHERE id = $1 AND expires_at > now()`,
    values: [id],
    pipelined: true,
  })
  return rows[0]
}

/**
 * Takes a key until the transaction ends; returns false when it has an answer. If another transaction has taken it,
 * this waits for that one. The row of an expired key counts as missing.
 */
export async function claimKey(db: Database, id: Buffer, fingerprint: Buffer): Promise<boolean> {
  const rows = await db.query({
    name: 'claimKey',
    text: `INSERT INTO idempotency_keys AS known (id, fingerprint, expires_at)
           VALUES ($1, $2, now() + interval '24 hours')
           ON CONFLICT (id) DO UPDATE
           SET fingerprint = excluded.fingerprint, created_at = excluded.created_at,
               expires_at = excluded.expires_at
           WHERE known.expires_at <= now()
           RETURNING id`,
    values: [id, fingerprint],
  })
  return rows.length > 0
}

export async function updateAnswer(db: Database, id: Buffer, answer: Answer): Promise<void> {
  await db.query({
    name: 'updateAnswer',
    text: 'UPDATE idempotency_keys SET status = $2, location = $3, etag = $4, body = $5 WHERE id = $1',
    values: [id, answer.status, answer.location, answer.etag, answer.body],
  })
}
