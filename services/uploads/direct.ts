import { transaction } from '#lib/database/database.ts'
import type { DirectUploads } from '#lib/object-store/object-store.ts'
import type { File } from '#schemas/files.ts'
import type { CreateDirectUpload, DirectUpload, SignUploadParts } from '#schemas/uploads.ts'
import { spaceOf } from '#services/files/context.ts'
import { FileTooLarge } from '#services/files/errors.ts'
import * as files from '#services/files/files.ts'
import { answered } from '#services/storage/answered.ts'
import { extend, reserveWhole } from '#services/storage/appending.ts'
import { type StorageContext, storeOf } from '#services/storage/storage.ts'
import type { UploadContext } from './context.ts'
import { DirectUploadsUnavailable, InvalidUpload, UploadIncomplete, UploadNotFound } from './errors.ts'
import { verifyUploadJob } from './jobs.ts'
import { partBytes, partSizes } from './parts.ts'
import * as queries from './queries.ts'
import { present } from './state.ts'

// Uploads whose bytes the client sends to the store itself. It gets URLs for parts, each of which takes exactly the bytes of
// that part. What has come counts when the service has read all of it: a client's word says nothing of a content.

/** Seconds for which a URL takes a part. */
const SIGNED_S = 900

/** URLs that one answer has. */
const MAX_SIGNED = 100

/** Parts that an error names. */
const MAX_NAMED = 10

/** Milliseconds that there are to read a content after all of it has come, beyond those of an upload. */
const SLACK_MS = 3_600_000

/**
 * Creates a file, and an upload of its content to the store itself, with URLs for its first parts.
 *
 * @throws DirectUploadsUnavailable, FileTooLarge, TooManyEmptyFiles, StorageQuotaReached, FileStoreUnavailable, FilesDisabled
 */
export async function create(ctx: UploadContext, { name, size }: CreateDirectUpload): Promise<DirectUpload> {
  const direct = directOf(ctx)
  if (size > ctx.files.maxSize) throw new FileTooLarge()
  const { emptyMs: lifetimeMs } = ctx.files
  const made = await transaction(ctx, async (tx) => {
    const { id } = await files.create(tx, { name })
    const taken = {
      space: spaceOf(ctx.db),
      quota: files.quotaOf(ctx),
      length: size,
      lifetimeMs: lifetimeMs + SLACK_MS,
    }
    const key = await reserveWhole(ctx, tx.db, taken)
    await queries.insertUpload(tx.db, { id, key, length: size, metadata: undefined, lifetimeMs })
    return { id, key }
  })
  const storeId = await answered(direct.begin(made.key))
  await queries.updateStoreUpload(ctx.db, made.id, storeId)
  const numbers = partSizes(size).map((_, index) => index + 1)
  return sign(ctx, made.id, { numbers: numbers.slice(0, MAX_SIGNED) })
}

/**
 * Returns URLs for parts, which can be sent again.
 *
 * @throws UploadNotFound, InvalidUpload, DirectUploadsUnavailable, FilesDisabled
 */
export async function sign(
  ctx: UploadContext,
  id: string,
  { numbers }: SignUploadParts,
): Promise<DirectUpload> {
  const direct = directOf(ctx)
  const { key, storeId, size, expires_at } = await unfinished(ctx, id)
  const sizes = partSizes(size)
  const unknown = numbers.find((number) => number > sizes.length)
  if (unknown !== undefined)
    throw new InvalidUpload({ detail: `There are ${sizes.length} parts, and no ${unknown}.` })
  const signed = numbers.map(async (number) => {
    const bytes = sizes[number - 1] ?? 0
    return { number, size: bytes, url: await direct.sign(key, storeId, { number, bytes, seconds: SIGNED_S }) }
  })
  return {
    id,
    size,
    part_size: partBytes(size),
    part_count: sizes.length,
    parts: await Promise.all(signed),
    parts_expire_at: new Date(ctx.now().getTime() + SIGNED_S * 1000).toISOString(),
    expires_at,
  }
}

/**
 * Says that all parts have come. The file gets its content when the service has read it.
 *
 * @throws UploadNotFound, UploadIncomplete, FileStoreUnavailable, DirectUploadsUnavailable, FilesDisabled
 */
export async function complete(ctx: UploadContext, id: string): Promise<File> {
  const direct = directOf(ctx)
  const row = present(await queries.selectUpload(ctx.db, id))
  // The answer to a request that comes again, because its answer was lost.
  if (row.key === null || row.completed_at !== null) return files.get(ctx, id)
  const { key, storeId, size } = await unfinished(ctx, id)
  const missing = await answered(direct.complete(key, storeId, partSizes(size)))
  if (missing.length > 0) {
    const named = missing.slice(0, MAX_NAMED).join(', ')
    throw new UploadIncomplete({ detail: `${missing.length} parts have not come as they should: ${named}.` })
  }
  const { emptyMs: lifetimeMs } = ctx.files
  await transaction(ctx, async (tx) => {
    if (!(await queries.markCompleted(tx.db, id, lifetimeMs))) return
    await extend(tx.db, key, lifetimeMs + SLACK_MS)
    const owner = 'org' in ctx.db ? { org: ctx.db.org } : { user: ctx.db.user }
    await tx.jobs.enqueue(tx.db, verifyUploadJob, { ...owner, id })
  })
  return files.get(ctx, id)
}

function directOf(ctx: Pick<StorageContext, 'storage'>): DirectUploads {
  const { direct } = storeOf(ctx)
  if (direct === undefined) throw new DirectUploadsUnavailable()
  return direct
}

/** An upload to the store itself whose parts can still be sent. */
async function unfinished(ctx: UploadContext, id: string) {
  const row = present(await queries.selectUpload(ctx.db, id))
  const { key, store_upload_id: storeId, completed_at, length, expires_at } = row
  if (key === null || storeId === null || completed_at !== null) throw new UploadNotFound()
  return { key, storeId, size: Number(length), expires_at }
}
