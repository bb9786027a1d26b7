import { onlyRow } from '#lib/database/only-row.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { QuarantinedFile } from '#schemas/administered-files.ts'
import type { FileRow } from './queries.ts'

/** A content that waits for the scanner. */
export interface WaitingContent {
  readonly space_id: string
  readonly id: string
  /** Whose it is; null for a person's. */
  readonly org_id: string | null
  /** The person who made the file; null for an API key. */
  readonly created_by: string | null
  readonly key: string
  readonly size: string
}

const COLUMNS = 'space_id, id, org_id, created_by, key, size'

/** A content, as long as it waits. */
export async function selectWaiting(
  db: SystemDatabase,
  { space, id, key }: { space: string; id: string; key: string },
): Promise<WaitingContent | undefined> {
  const rows = await db.query<WaitingContent>({
    name: 'selectFileToScan',
    text: `SELECT ${COLUMNS} FROM files WHERE space_id = $1 AND id = $2 AND key = $3 AND scan = 'waiting'`,
    values: [space, id, key],
  })
  return rows[0]
}

/** Contents that have waited for so many milliseconds; those that failed least come first. */
export function selectLongWaiting(
  db: SystemDatabase,
  { waitedMs, limit }: { waitedMs: number; limit: number },
): Promise<WaitingContent[]> {
  return db.query<WaitingContent>({
    name: 'selectFilesToScan',
    text: `SELECT ${COLUMNS} FROM files
           WHERE scan = 'waiting' AND written_at < now() - $1 * interval '1 millisecond'
           ORDER BY scan_attempts, written_at LIMIT $2`,
    values: [waitedMs, limit],
  })
}

/** Seconds for which the content has waited that has waited longest. */
export async function selectLongestWait(db: SystemDatabase): Promise<number> {
  const rows = await db.query<{ seconds: number }>({
    name: 'selectLongestScanWait',
    text: `SELECT coalesce(extract(epoch FROM now() - min(written_at)), 0)::float AS seconds
           FROM files WHERE scan = 'waiting'`,
    values: [],
  })
  return onlyRow(rows).seconds
}

/** Counts an attempt that failed, and returns how many have; undefined for a content that does not wait any more. */
export async function countAttempt(
  db: SystemDatabase,
  { space_id, id, key }: WaitingContent,
): Promise<number | undefined> {
  const rows = await db.query<{ scan_attempts: number }>({
    name: 'countScanAttempt',
    text: `UPDATE files SET scan_attempts = least(scan_attempts + 1, 30000)
           WHERE space_id = $1 AND id = $2 AND key = $3 AND scan = 'waiting' RETURNING scan_attempts`,
    values: [space_id, id, key],
  })
  return rows[0]?.scan_attempts
}

/** Ends the waiting of a content; returns false if it does not wait any more. */
export async function updateScan(
  db: SystemDatabase,
  { space_id, id, key }: WaitingContent,
  { scan, finding }: { scan: NonNullable<FileRow['scan']>; finding: string | null },
): Promise<boolean> {
  const rows = await db.query({
    name: 'updateFileScan',
    text: `UPDATE files SET scan = $4, scan_finding = $5, scanned_at = now()
           WHERE space_id = $1 AND id = $2 AND key = $3 AND scan = 'waiting' RETURNING id`,
    values: [space_id, id, key, scan, finding],
  })
  return rows.length > 0
}

type QuarantinedRow = Omit<QuarantinedFile, 'size' | 'sha256'> & { size: string; sha256: Buffer }

/** Files in quarantine, newest first. */
export async function selectQuarantined(
  db: SystemDatabase,
  { before, limit }: { before: string | null; limit: number },
): Promise<QuarantinedFile[]> {
  const older = before === null ? '' : ' AND id < $2'
  const rows = await db.query<QuarantinedRow>({
    name: before === null ? 'selectQuarantinedFiles' : 'selectQuarantinedFiles:before',
    text: `SELECT id, org_id AS organization_id, user_id, name, media_type, size, sha256, scan AS reason,
                  scan_finding AS finding, created_by, scanned_at, deleted_at
           FROM files WHERE scan IN ('held', 'infected')${older} ORDER BY id DESC LIMIT $1`,
    values: [limit, ...(before === null ? [] : [before])],
  })
  return rows.map((row) => ({ ...row, size: Number(row.size), sha256: row.sha256.toString('hex') }))
}

/** Whose a file in quarantine is; undefined if there is no such file. */
export async function selectOwner(
  db: SystemDatabase,
  id: string,
): Promise<{ space_id: string; org_id: string | null } | undefined> {
  const rows = await db.query<{ space_id: string; org_id: string | null }>({
    name: 'selectQuarantinedFileOwner',
    text: "SELECT space_id, org_id FROM files WHERE id = $1 AND scan IN ('held', 'infected')",
    values: [id],
  })
  return rows[0]
}

/** Lets a file out of quarantine; returns false if it is not there. */
export async function updateReleased(db: SystemDatabase, space: string, id: string): Promise<boolean> {
  const rows = await db.query({
    name: 'releaseQuarantinedFile',
    text: `UPDATE files SET scan = 'released'
           WHERE space_id = $1 AND id = $2 AND scan IN ('held', 'infected') RETURNING id`,
    values: [space, id],
  })
  return rows.length > 0
}
