import type { Database } from '#lib/database/database.ts'

export type Purpose = 'verify_email' | 'change_email' | 'reset_password' | 'choose_password'

export interface OneTimeToken {
  user_id: string
  purpose: Purpose
  new_email: string | null
}

interface NewOneTimeToken extends OneTimeToken {
  id: string
  digest: Buffer
  expires_at: Date
}

/** Replaces the user's token of the same purpose. */
export async function upsertOneTimeToken(db: Database, token: NewOneTimeToken): Promise<void> {
  await db.query({
    name: 'upsertOneTimeToken',
    text: `INSERT INTO one_time_tokens (id, digest, user_id, purpose, new_email, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (user_id, purpose) DO UPDATE
           SET id = excluded.id, digest = excluded.digest, new_email = excluded.new_email,
               created_at = excluded.created_at, expires_at = excluded.expires_at`,
    values: [token.id, token.digest, token.user_id, token.purpose, token.new_email, token.expires_at],
  })
}

export async function selectOneTimeToken(
  db: Database,
  digest: Buffer,
  purposes: readonly Purpose[],
): Promise<OneTimeToken | undefined> {
  const rows = await db.query<OneTimeToken>({
    name: 'selectOneTimeToken',
    text: `SELECT user_id, purpose, new_email FROM one_time_tokens
           WHERE digest = $1 AND purpose = ANY ($2) AND expires_at > now()`,
    values: [digest, purposes],
  })
  return rows[0]
}

export async function selectPendingToken(
  db: Database,
  id: string,
  purpose: Purpose,
): Promise<OneTimeToken | undefined> {
  const rows = await db.query<OneTimeToken>({
    name: 'selectPendingToken',
    text: `SELECT user_id, purpose, new_email FROM one_time_tokens
           WHERE id = $1 AND purpose = $2 AND expires_at > now()`,
    values: [id, purpose],
  })
  return rows[0]
}

/** Uses a token up: of any number that try at once, one gets the row. */
export async function deleteOneTimeToken(
  db: Database,
  digest: Buffer,
  purposes: readonly Purpose[],
): Promise<OneTimeToken | undefined> {
  const rows = await db.query<OneTimeToken>({
    name: 'deleteOneTimeToken',
    text: `DELETE FROM one_time_tokens WHERE digest = $1 AND purpose = ANY ($2) AND expires_at > now()
           RETURNING user_id, purpose, new_email`,
    values: [digest, purposes],
  })
  return rows[0]
}

export async function deleteTokensOfUser(db: Database, userId: string): Promise<void> {
  await db.query({
    name: 'deleteTokensOfUser',
    text: 'DELETE FROM one_time_tokens WHERE user_id = $1',
    values: [userId],
  })
}
