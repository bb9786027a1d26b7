import type { Database } from '#lib/database/database.ts'
import type { JsonRow } from '#lib/database/json-query.ts'
import { type Role, User, type UserChanges } from '#schemas/users.ts'

const COLUMNS = 'id, email, username, role, is_active, created_at, updated_at'
const SHOWN = Object.keys(User.properties)

export interface NewUser {
  id: string
  email: string
  username: string
  /** Null until the user has chosen a password. */
  password_hash: string | null
  role: Role
  /** Whether the address is known to be the user's. */
  verified: boolean
}

export interface Credentials extends User {
  password_hash: string | null
  email_verified_at: string | null
}

export async function insertUser(db: Database, user: NewUser): Promise<User | undefined> {
  const rows = await db.query<User>({
    name: 'insertUser',
    text: `INSERT INTO users (id, email, username, password_hash, role, email_verified_at)
           VALUES ($1, $2, $3, $4, $5, CASE WHEN $6 THEN now() END)
           RETURNING ${COLUMNS}`,
    values: [user.id, user.email, user.username, user.password_hash, user.role, user.verified],
  })
  return rows[0]
}

export async function selectUserById(db: Database, id: string): Promise<User | undefined> {
  const rows = await db.query<User>({
    name: 'selectUserById',
    text: `SELECT ${COLUMNS} FROM users WHERE id = $1`,
    values: [id],
    pipelined: true,
  })
  return rows[0]
}

export async function selectCredentialsByEmail(
  db: Database,
  email: string,
): Promise<Credentials | undefined> {
  const rows = await db.query<Credentials>({
    name: 'selectCredentialsByEmail',
    text: `SELECT ${COLUMNS}, password_hash, email_verified_at FROM users WHERE case_fold(email) = case_fold($1)`,
    values: [email],
    pipelined: true,
  })
  return rows[0]
}

/** Returns the user with its hash, and locks both until the transaction ends. */
export async function lockCredentials(db: Database, id: string): Promise<Credentials | undefined> {
  const rows = await db.query<Credentials>({
    name: 'lockCredentials',
    text: `SELECT ${COLUMNS}, password_hash, email_verified_at FROM users WHERE id = $1 FOR NO KEY UPDATE`,
    values: [id],
  })
  return rows[0]
}

export interface UserFilter {
  role?: Role
  is_active?: boolean
  /** Beginning of the email or the username. */
  q?: string
  /** Only users older than this id. */
  before?: string
  limit: number
}

/** Newest first. */
export function selectUsers(db: Database, filter: UserFilter): Promise<JsonRow[]> {
  const { role, is_active, q, before, limit } = filter
  const conditions: [column: string, sql: (parameter: string) => string, value: unknown][] = []
  if (role !== undefined) conditions.push(['role', (p) => `role = ${p}`, role])
  if (is_active !== undefined) conditions.push(['is_active', (p) => `is_active = ${p}`, is_active])
  if (q !== undefined) {
    const prefix = (p: string) =>
      `(case_fold(email) LIKE case_fold(${p}) OR case_fold(username) LIKE case_fold(${p}))`
    conditions.push(['q', prefix, `${escapeLike(q)}%`])
  }
  if (before !== undefined) conditions.push(['before', (p) => `id < ${p}`, before])

  const where = conditions.map(([, sql], index) => sql(`$${index + 2}`)).join(' AND ')
  return db.query<JsonRow>({
    json: SHOWN,
    name: ['selectUsers', ...conditions.map(([column]) => column)].join(':'),
    text: `SELECT ${COLUMNS} FROM users ${where && `WHERE ${where}`} ORDER BY id DESC LIMIT $1`,
    values: [limit, ...conditions.map(([, , value]) => value)],
  })
}

/**
 * Updates what `changes` contains; returns the updated user, or undefined when there is none with this id
 * and, if `versions` is given, one of these values of updated_at.
 */
export async function updateUser(
  db: Database,
  id: string,
  changes: UserChanges,
  versions: readonly string[] | undefined,
): Promise<User | undefined> {
  const rows = await db.query<User>({
    name: 'updateUser',
    text: `UPDATE users
           SET email = coalesce($2, email), username = coalesce($3, username), role = coalesce($4, role),
               is_active = coalesce($5, is_active)
           WHERE id = $1 AND ($6::timestamptz[] IS NULL OR updated_at = ANY ($6))
           RETURNING ${COLUMNS}`,
    values: [id, changes.email, changes.username, changes.role, changes.is_active, versions],
  })
  return rows[0]
}

export async function selectUsernameExists(db: Database, username: string): Promise<boolean> {
  const rows = await db.query({
    name: 'selectUsernameExists',
    text: 'SELECT id FROM users WHERE case_fold(username) = case_fold($1)',
    values: [username],
  })
  return rows.length > 0
}

export async function updateEmail(db: Database, id: string, email: string): Promise<User | undefined> {
  const rows = await db.query<User>({
    name: 'updateEmail',
    text: `UPDATE users SET email = $2, email_verified_at = now() WHERE id = $1 RETURNING ${COLUMNS}`,
    values: [id, email],
  })
  return rows[0]
}

export async function updateVerified(db: Database, id: string): Promise<void> {
  await db.query({
    name: 'updateVerified',
    text: 'UPDATE users SET email_verified_at = now() WHERE id = $1 AND email_verified_at IS NULL',
    values: [id],
  })
}

/** Returns how many there were. */
export async function updateVerifiedBefore(db: Database, before: Date): Promise<number> {
  const rows = await db.query({
    name: 'updateVerifiedBefore',
    text: `UPDATE users SET email_verified_at = now()
           WHERE email_verified_at IS NULL AND password_hash IS NOT NULL AND created_at < $1
           RETURNING id`,
    values: [before],
  })
  return rows.length
}

export async function setPasswordHash(db: Database, id: string, hash: string): Promise<void> {
  await db.query({
    name: 'setPasswordHash',
    text: 'UPDATE users SET password_hash = $2 WHERE id = $1',
    values: [id, hash],
  })
}

/** Replaces a hash; returns false if it was replaced meanwhile. */
export async function updatePasswordHash(
  db: Database,
  id: string,
  oldHash: string,
  newHash: string,
): Promise<boolean> {
  const rows = await db.query({
    name: 'updatePasswordHash',
    text: 'UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id',
    values: [id, oldHash, newHash],
  })
  return rows.length > 0
}

export async function deleteUser(
  db: Database,
  id: string,
  versions: readonly string[] | undefined,
): Promise<boolean> {
  const rows = await db.query({
    name: 'deleteUser',
    text: `DELETE FROM users WHERE id = $1 AND ($2::timestamptz[] IS NULL OR updated_at = ANY ($2))
           RETURNING id`,
    values: [id, versions],
  })
  return rows.length > 0
}

/**
 * Locks every active admin until the transaction ends, so that two changes can't each leave the other's admin.
 *
 * @param verified whether an address has to be confirmed before signing in
 */
export function lockActiveAdmins(
  db: Database,
  { verified }: { verified: boolean },
): Promise<{ id: string; can_sign_in: boolean }[]> {
  return db.query({
    name: 'lockActiveAdmins',
    text: `SELECT id, password_hash IS NOT NULL AND (email_verified_at IS NOT NULL OR NOT $1) AS can_sign_in
           FROM users WHERE role = 'admin' AND is_active ORDER BY id FOR UPDATE`,
    values: [verified],
  })
}

export async function updateRoleByEmail(db: Database, email: string, role: Role): Promise<User | undefined> {
  const rows = await db.query<User>({
    name: 'updateRoleByEmail',
    text: `UPDATE users SET role = $2 WHERE case_fold(email) = case_fold($1) RETURNING ${COLUMNS}`,
    values: [email, role],
  })
  return rows[0]
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
