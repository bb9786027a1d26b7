import type { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { File } from '#schemas/files.ts'
import { spaceOf } from './context.ts'

type SpaceDatabase = OrgDatabase | UserDatabase

/** A file as the database has it. */
export interface FileRow extends Omit<File, 'status' | 'size' | 'sha256'> {
  readonly size: string | null
  readonly sha256: Buffer | null
  readonly key: string | null
  readonly written_at: string | null
  /** The verdict of the scanner; null where it was not asked. */
  readonly scan: 'waiting' | 'clean' | 'passed' | 'held' | 'infected' | 'released' | null
}

/** Content that was written for a file. */
export interface WrittenContent {
  readonly key: string
  readonly media_type: string
  readonly size: number
  readonly sha256: Buffer
}

const COLUMNS =
  'id, name, purpose, key, media_type, size, sha256, written_at, scan, created_by, created_at, updated_at, deleted_at'

interface NewFile extends Pick<File, 'id' | 'name' | 'purpose' | 'created_by'> {
  /** Milliseconds after which it is deleted if it has no content by then. */
  readonly emptyMs: number
  /** Files without content that there may be before it. */
  readonly maxEmpty: number
}

/** Returns undefined where there are too many files without content. */
export async function insertFile(db: SpaceDatabase, file: NewFile): Promise<FileRow | undefined> {
  const owner = 'org' in db ? [db.org, null] : [null, db.user]
  const rows = await db.query<FileRow>({
    name: 'insertFile',
    text: `INSERT INTO files (space_id, id, org_id, user_id, created_by, purpose, name, purge_at)
           SELECT coalesce($1::uuid, $2::uuid), $3, $1, $2, $4, $5, $6, now() + $7 * interval '1 millisecond'
           WHERE $8::bigint > (
             SELECT count(*) FROM (
               SELECT FROM files WHERE space_id = coalesce($1::uuid, $2::uuid) AND key IS NULL LIMIT $8) AS empty)
           RETURNING ${COLUMNS}`,
    values: [...owner, file.id, file.created_by, file.purpose, file.name, file.emptyMs, file.maxEmpty],
  })
  return rows[0]
}

/** A file that comes with its content, which may have to wait for the scanner. */
type WholeFile = Pick<File, 'id' | 'name' | 'purpose' | 'created_by'> & WrittenContent & Pick<FileRow, 'scan'>

/** Inserts a file with its content. An avatar that is there already gets the content, and stays what it was otherwise. */
export async function insertWholeFile(db: SpaceDatabase, file: WholeFile): Promise<FileRow | undefined> {
  const owner = 'org' in db ? [db.org, null] : [null, db.user]
  const { id, created_by, purpose, name, key, media_type, size, sha256, scan } = file
  const rows = await db.query<FileRow>({
    name: 'insertWholeFile',
    text: `INSERT INTO files (space_id, id, org_id, user_id, created_by, purpose, name, key, media_type, size, sha256,
             written_at, scan)
           VALUES (coalesce($1::uuid, $2::uuid), $3, $1, $2, $4, $5, $6, $7, $8, $9, $10, now(), $11)
           ON CONFLICT (space_id) WHERE purpose = 'avatar' AND deleted_at IS NULL DO UPDATE
           SET key = excluded.key, media_type = excluded.media_type, size = excluded.size, sha256 = excluded.sha256,
             written_at = excluded.written_at, purge_at = NULL, scan = excluded.scan
           RETURNING ${COLUMNS}`,
    values: [...owner, id, created_by, purpose, name, key, media_type, size, sha256, scan],
  })
  return rows[0]
}

export async function selectFile(db: SpaceDatabase, id: string): Promise<FileRow | undefined> {
  const rows = await db.query<FileRow>({
    name: 'selectFile',
    text: `SELECT ${COLUMNS} FROM files WHERE space_id = $1 AND id = $2`,
    values: [spaceOf(db), id],
    pipelined: true,
  })
  return rows[0]
}

/** The avatar of a user or organization. */
export async function selectAvatar(db: SpaceDatabase): Promise<FileRow | undefined> {
  const rows = await db.query<FileRow>({
    name: 'selectAvatar',
    text: `SELECT ${COLUMNS} FROM files WHERE space_id = $1 AND purpose = 'avatar' AND deleted_at IS NULL`,
    values: [spaceOf(db)],
    pipelined: true,
  })
  return rows[0]
}

/**
 * Newest first.
 *
 * @param before only files older than this id
 */
export function selectFiles(
  db: SpaceDatabase,
  { deleted, before = null, limit }: { deleted: boolean; before?: string | null; limit: number },
): Promise<FileRow[]> {
  const older = before === null ? '' : ' AND id < $4'
  return db.query<FileRow>({
    name: before === null ? 'selectFiles' : 'selectFiles:before',
    text: `SELECT ${COLUMNS} FROM files WHERE space_id = $1 AND (deleted_at IS NOT NULL) = $2${older}
           ORDER BY id DESC LIMIT $3`,
    values: [spaceOf(db), deleted, limit, ...(before === null ? [] : [before])],
  })
}

type Versions = readonly string[] | undefined

const EXPECTED = 'space_id = $1 AND id = $2 AND ($3::timestamptz[] IS NULL OR updated_at = ANY ($3))'

export async function updateName(
  db: SpaceDatabase,
  id: string,
  name: string | undefined,
  versions: Versions,
): Promise<FileRow | undefined> {
  const rows = await db.query<FileRow>({
    name: 'updateFileName',
    text: `UPDATE files SET name = coalesce($4, name) WHERE ${EXPECTED} AND deleted_at IS NULL RETURNING ${COLUMNS}`,
    values: [spaceOf(db), id, versions, name],
  })
  return rows[0]
}

/** Sets the content of a file, which may have to wait for the scanner. What it had is removed later. */
export async function updateContent(
  db: SpaceDatabase,
  id: string,
  { key, media_type, size, sha256, scan }: WrittenContent & Pick<FileRow, 'scan'>,
  versions: Versions,
): Promise<FileRow | undefined> {
  const rows = await db.query<FileRow>({
    name: 'updateFileContent',
    text: `UPDATE files SET key = $4, media_type = $5, size = $6, sha256 = $7, written_at = now(), purge_at = NULL,
             scan = $8
           WHERE ${EXPECTED} AND deleted_at IS NULL RETURNING ${COLUMNS}`,
    values: [spaceOf(db), id, versions, key, media_type, size, sha256, scan],
  })
  return rows[0]
}

/**
 * Sets the content of a file to one that was complete at a moment, unless the file has got another since. A file in the trash
 * gets it too, and stays there as long as it would have.
 */
export async function updateLateContent(
  db: SpaceDatabase,
  id: string,
  { key, media_type, size, sha256, scan }: WrittenContent & Pick<FileRow, 'scan'>,
  completedAt: string,
): Promise<FileRow | undefined> {
  const rows = await db.query<FileRow>({
    name: 'updateLateFileContent',
    text: `UPDATE files SET key = $3, media_type = $4, size = $5, sha256 = $6, written_at = now(), scan = $7,
             purge_at = CASE WHEN deleted_at IS NOT NULL THEN purge_at END
           WHERE space_id = $1 AND id = $2 AND (written_at IS NULL OR written_at < $8) RETURNING ${COLUMNS}`,
    values: [spaceOf(db), id, key, media_type, size, sha256, scan, completedAt],
  })
  return rows[0]
}

/** Puts a file into the trash for so many milliseconds; returns false if it is not there, or is there already. */
export async function markDeleted(
  db: SpaceDatabase,
  id: string,
  trashMs: number,
  versions: Versions,
): Promise<boolean> {
  const rows = await db.query({
    name: 'markFileDeleted',
    text: `UPDATE files SET deleted_at = now(), purge_at = now() + $4 * interval '1 millisecond'
           WHERE ${EXPECTED} AND deleted_at IS NULL RETURNING id`,
    values: [spaceOf(db), id, versions, trashMs],
  })
  return rows.length > 0
}

/** Deletes a file for good, in the trash or not. */
export async function deleteFile(db: SpaceDatabase, id: string, versions: Versions): Promise<boolean> {
  const rows = await db.query({
    name: 'deleteFile',
    text: `DELETE FROM files WHERE ${EXPECTED} RETURNING id`,
    values: [spaceOf(db), id, versions],
  })
  return rows.length > 0
}

/** Takes a file out of the trash. One without content may wait for it as long as a new one. */
export async function unmarkDeleted(
  db: SpaceDatabase,
  id: string,
  emptyMs: number,
): Promise<FileRow | undefined> {
  const rows = await db.query<FileRow>({
    name: 'unmarkFileDeleted',
    text: `UPDATE files SET deleted_at = NULL,
             purge_at = CASE WHEN key IS NULL THEN now() + $3 * interval '1 millisecond' END
           WHERE space_id = $1 AND id = $2 AND deleted_at IS NOT NULL
           RETURNING ${COLUMNS}`,
    values: [spaceOf(db), id, emptyMs],
  })
  return rows[0]
}

/**
 * The file that a link leads to, as long as its user or organization is there. A link stands in for its sender, who was
 * let in.
 *
 * @reads organizations
 * @reads users
 */
export async function selectSharedFile(
  db: SystemDatabase,
  space: string,
  id: string,
): Promise<FileRow | undefined> {
  const rows = await db.query<FileRow>({
    name: 'selectSharedFile',
    text: `SELECT f.id, f.name, f.purpose, f.key, f.media_type, f.size, f.sha256, f.written_at, f.scan,
                  f.created_by, f.created_at, f.updated_at, f.deleted_at
           FROM files f LEFT JOIN organizations o ON o.id = f.org_id LEFT JOIN users u ON u.id = f.user_id
           WHERE f.space_id = $1 AND f.id = $2 AND f.deleted_at IS NULL
             AND (f.org_id IS NULL OR (o.deleted_at IS NULL AND o.suspended_at IS NULL))
             AND (f.user_id IS NULL OR u.is_active)`,
    values: [space, id],
    pipelined: true,
  })
  return rows[0]
}
