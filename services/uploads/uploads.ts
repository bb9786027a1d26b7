import { transaction } from '#lib/database/database.ts'
import { spaceOf } from '#services/files/context.ts'
import { FileTooLarge } from '#services/files/errors.ts'
import * as files from '#services/files/files.ts'
import { reserve } from '#services/storage/appending.ts'
import { received, settled } from '#services/storage/lease.ts'
import { storeOf } from '#services/storage/storage.ts'
import { append, NO_BYTES, type Part } from './append.ts'
import type { UploadContext } from './context.ts'
import { UploadNotFound } from './errors.ts'
import * as queries from './queries.ts'
import { present, type UploadState, uploadOf } from './state.ts'

// An upload makes one new file, whose id it has. What protocol it speaks is the routes' business: tus and the draft of the IETF
// are two ways to say the same.

/** A new upload. */
export interface NewUpload {
  /** Name of the file. */
  readonly name: string
  /** Bytes of the whole content; undefined if they are said later. */
  readonly length: number | undefined
  /** Words of the client, which it reads again by HEAD. */
  readonly metadata: string | undefined
  /** The first bytes, if they come at once. */
  readonly part: Part | undefined
}

/** Milliseconds for which the space of an upload is taken beyond its end: its row goes first. */
const SLACK_MS = 3_600_000

/**
 * Creates a file, and an upload of its content.
 *
 * @throws TooManyEmptyFiles, FileTooLarge, StorageQuotaReached, FilesDisabled, and as `append`
 */
export async function create(ctx: UploadContext, upload: NewUpload): Promise<UploadState> {
  const { name, length, metadata, part } = upload
  if (length !== undefined && length > limitOf(ctx)) throw new FileTooLarge()
  const { emptyMs: lifetimeMs } = ctx.files
  const quota = files.quotaOf(ctx)
  const id = await transaction(ctx, async (tx) => {
    const file = await files.create(tx, { name })
    const taken = { space: spaceOf(ctx.db), quota, length, lifetimeMs: lifetimeMs + SLACK_MS }
    const key = await reserve(ctx, tx.db, taken)
    await queries.insertUpload(tx.db, { id: file.id, key, length, metadata, lifetimeMs })
    return file.id
  })
  // Of nothing, all has come.
  if (part !== undefined || length === 0) return append(ctx, id, part ?? { ...NO_BYTES, offset: 0 })
  return uploadOf(present(await queries.selectUpload(ctx.db, id)), 0)
}

/**
 * Returns how far an upload is.
 *
 * @throws UploadNotFound
 */
export function get(ctx: UploadContext, id: string): Promise<UploadState> {
  return look(ctx, id, (key) => received(ctx, key))
}

/**
 * Returns where an upload goes on. The one who adds to it settles first, and where all has come, the file has it afterwards.
 *
 * @throws as `append`
 */
export async function resume(ctx: UploadContext, id: string): Promise<UploadState> {
  const upload = await look(ctx, id, (key) => settled(ctx, key))
  if (upload.complete || upload.offset !== upload.length) return upload
  return append(ctx, id, { ...NO_BYTES, offset: upload.offset })
}

async function look(
  ctx: UploadContext,
  id: string,
  offsetOf: (key: string) => Promise<number | undefined>,
): Promise<UploadState> {
  const row = present(await queries.selectUpload(ctx.db, id))
  if (row.key === null) return uploadOf(row, Number(row.length))
  const offset = await offsetOf(row.key)
  if (offset !== undefined) return uploadOf(row, offset)
  // It was finished meanwhile.
  const finished = present(await queries.selectUpload(ctx.db, id))
  if (finished.key !== null) throw new UploadNotFound()
  return uploadOf(finished, Number(finished.length))
}

/**
 * Ends an upload, and deletes its file if that has no content yet.
 *
 * @throws UploadNotFound
 */
export async function remove(ctx: UploadContext, id: string): Promise<void> {
  const { key } = present(await queries.selectUpload(ctx.db, id))
  if (key === null) return queries.deleteUpload(ctx.db, id)
  await files.remove(ctx, id, { permanently: true, versions: undefined })
  ctx.storage.here.get(key)?.()
}

/** Bytes that an upload may have. */
function limitOf(ctx: UploadContext): number {
  return Math.min(ctx.files.maxSize, storeOf(ctx).largestAppended)
}
