import type { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import { spaceOf } from '#services/files/context.ts'

type SpaceDatabase = OrgDatabase | UserDatabase

/** An upload as the database has it. */
export interface UploadRow {
  readonly id: string
  /** Null when the file has the object. */
  readonly key: string | null
  readonly length: string | null
  readonly metadata: string | null
  /** The store's id of an upload that comes to it directly. */
  readonly store_upload_id: string | null
  /** When its client said that all parts are there. */
  readonly completed_at: string | null
  readonly created_at: string
  readonly expires_at: string
}

const COLUMNS = 'id, key, length, metadata, store_upload_id, completed_at, created_at, expires_at'

export interface NewUpload {
  readonly id: string
  /** Null when the file has the object. */
  readonly key: string | null
  readonly length: number | undefined
  readonly metadata: string | undefined
  readonly lifetimeMs: number
}

export async function insertUpload(
  db: SpaceDatabase,
  { id, key, length, metadata, lifetimeMs }: NewUpload,
): Promise<UploadRow | undefined> {
  const owner = 'org' in db ? [db.org, null] : [null, db.user]
  const rows = await db.query<UploadRow>({
    name: 'insertUpload',
    text: `INSERT INTO uploads (space_id, id, org_id, user_id, key, length, metadata, expires_at)
           VALUES (coalesce($1::uuid, $2::uuid), $3, $1, $2, $4, $5, $6, now() + $7 * interval '1 millisecond')
           RETURNING ${COLUMNS}`,
    values: [...owner, id, key, length, metadata, lifetimeMs],
  })
  return rows[0]
}

export async function selectUpload(db: SpaceDatabase, id: string): Promise<UploadRow | undefined> {
  const rows = await db.query<UploadRow>({
    name: 'selectUpload',
    text: `SELECT ${COLUMNS} FROM uploads WHERE space_id = $1 AND id = $2 AND expires_at > now()`,
    values: [spaceOf(db), id],
    pipelined: true,
  })
  return rows[0]
}

/** Sets the length of an upload whose length nobody has said yet; returns false if it has one. */
export async function updateLength(db: SpaceDatabase, id: string, length: number): Promise<boolean> {
  const rows = await db.query({
    name: 'updateUploadLength',
    text: 'UPDATE uploads SET length = $3 WHERE space_id = $1 AND id = $2 AND length IS NULL RETURNING id',
    values: [spaceOf(db), id, length],
  })
  return rows.length > 0
}

/** Says that the file has the object, which is so long; returns undefined if it had it before. */
export async function finishUpload(
  db: SpaceDatabase,
  id: string,
  length: number,
): Promise<UploadRow | undefined> {
  const rows = await db.query<UploadRow>({
    name: 'finishUpload',
    text: `UPDATE uploads SET key = NULL, length = $3
           WHERE space_id = $1 AND id = $2 AND key IS NOT NULL RETURNING ${COLUMNS}`,
    values: [spaceOf(db), id, length],
  })
  return rows[0]
}

/** Forgets an upload. What has come of one that is not finished is removed. */
export async function deleteUpload(db: SpaceDatabase, id: string): Promise<void> {
  await db.query({
    name: 'deleteUpload',
    text: 'DELETE FROM uploads WHERE space_id = $1 AND id = $2',
    values: [spaceOf(db), id],
  })
}

/** Notes the store's id of an upload. */
export async function updateStoreUpload(db: SpaceDatabase, id: string, storeId: string): Promise<void> {
  await db.query({
    name: 'updateStoreUpload',
    text: 'UPDATE uploads SET store_upload_id = $3 WHERE space_id = $1 AND id = $2',
    values: [spaceOf(db), id, storeId],
  })
}

/** Says that all parts are there, and lets the upload stay for so long; returns false if that was said before. */
export async function markCompleted(db: SpaceDatabase, id: string, lifetimeMs: number): Promise<boolean> {
  const rows = await db.query({
    name: 'markUploadCompleted',
    text: `UPDATE uploads SET completed_at = now(), expires_at = now() + $3 * interval '1 millisecond'
           WHERE space_id = $1 AND id = $2 AND completed_at IS NULL AND key IS NOT NULL RETURNING id`,
    values: [spaceOf(db), id, lifetimeMs],
  })
  return rows.length > 0
}
