import { transaction } from '#lib/database/database.ts'
import { spaceOf } from '#services/files/context.ts'
import { createWhole } from '#services/files/creation.ts'
import { FileTooLarge } from '#services/files/errors.ts'
import * as files from '#services/files/files.ts'
import { reserve } from '#services/storage/appending.ts'
import { received, settled } from '#services/storage/lease.ts'
import { storeOf } from '#services/storage/storage.ts'
import { append, counted, NO_BYTES, type Part } from './append.ts'
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
  // Of nothing, all has come.
  const first = part ?? (length === 0 ? { ...NO_BYTES, offset: 0 } : undefined)
  if (first !== undefined && isWhole(first, length)) return counted(ctx, bring(ctx, upload, first))
  const { emptyMs: lifetimeMs } = ctx.files
  const quota = files.quotaOf(ctx)
  const id = await transaction(ctx, async (tx) => {
    const file = await files.create(tx, { name })
    const taken = { space: spaceOf(ctx.db), quota, length, lifetimeMs: lifetimeMs + SLACK_MS }
    const key = await reserve(ctx, tx.db, taken)
    await queries.insertUpload(tx.db, { id: file.id, key, length, metadata, lifetimeMs })
    return file.id
  })
  if (first !== undefined) return append(ctx, id, first)
  return uploadOf(present(await queries.selectUpload(ctx.db, id)), 0)
}

/** Whether a part says that it is all of an upload, which is not to be checked before it counts. */
function isWhole({ bytes, isLast, checksum }: Part, length: number | undefined): boolean {
  return bytes !== undefined && bytes === (length ?? (isLast ? bytes : undefined)) && checksum === undefined
}

/**
 * Creates a file with its content. Nothing is kept of one that is cut: its client was told of no URL at which it goes on.
 */
function bring(ctx: UploadContext, { name, metadata }: NewUpload, part: Part): Promise<UploadState> {
  const { pieces, bytes } = part
  const { emptyMs: lifetimeMs } = ctx.files
  return createWhole(ctx, { name }, { pieces, length: bytes }, (settle) =>
    transaction(ctx, async (tx) => {
      const { id, size } = await settle(tx)
      const length = size ?? 0
      const row = await queries.insertUpload(tx.db, { id, key: null, length, metadata, lifetimeMs })
      return uploadOf(present(row), length)
    }),
  )
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
