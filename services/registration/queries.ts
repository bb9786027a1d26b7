import type { Database } from '#lib/database/database.ts'

export interface Registration {
  id: string
  email: string
  username: string
  password_hash: string
}

interface NewRegistration extends Registration {
  digest: Buffer
  expires_at: Date
}

export async function insertRegistration(db: Database, registration: NewRegistration): Promise<void> {
  const { id, digest, email, username, password_hash, expires_at } = registration
  await db.query({
    name: 'insertRegistration',
    text: `INSERT INTO registrations (id, digest, email, username, password_hash, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)`,
    values: [id, digest, email, username, password_hash, expires_at],
  })
}

export async function selectRegistration(db: Database, id: string): Promise<Registration | undefined> {
  const rows = await db.query<Registration>({
    name: 'selectRegistration',
    text: 'SELECT id, email, username, password_hash FROM registrations WHERE id = $1 AND expires_at > now()',
    values: [id],
  })
  return rows[0]
}

/** Sets a new token for the newest registration of an email; the old one is void. */
export async function renewRegistration(
  db: Database,
  email: string,
  token: { id: string; digest: Buffer; expires_at: Date },
): Promise<Registration | undefined> {
  const rows = await db.query<Registration>({
    name: 'renewRegistration',
    text: `UPDATE registrations SET id = $2, digest = $3, expires_at = $4
           WHERE id = (SELECT id FROM registrations
                       WHERE case_fold(email) = case_fold($1) AND expires_at > now()
                       ORDER BY created_at DESC LIMIT 1)
           RETURNING id, email, username, password_hash`,
    values: [email, token.id, token.digest, token.expires_at],
  })
  return rows[0]
}

/**
 * Locks all that waits for the address of a registration, in one order, so that of two links used at once
 * neither waits for the other in a circle.
 */
export async function lockRegistrations(db: Database, digest: Buffer): Promise<void> {
  await db.query({
    name: 'lockRegistrations',
    text: `SELECT id FROM registrations
           WHERE case_fold(email) = (SELECT case_fold(email) FROM registrations WHERE digest = $1)
           ORDER BY id FOR UPDATE`,
    values: [digest],
  })
}

/** Uses a registration up: of any number that try at once, one gets the row. */
export async function deleteRegistration(db: Database, digest: Buffer): Promise<Registration | undefined> {
  const rows = await db.query<Registration>({
    name: 'deleteRegistration',
    text: `DELETE FROM registrations WHERE digest = $1 AND expires_at > now()
           RETURNING id, email, username, password_hash`,
    values: [digest],
  })
  return rows[0]
}

/** Removes what else waits for the address, and what has expired. */
export async function deleteRegistrationsOf(db: Database, email: string): Promise<void> {
  await db.query({
    name: 'deleteRegistrationsOf',
    text: 'DELETE FROM registrations WHERE case_fold(email) = case_fold($1)',
    values: [email],
  })
}
