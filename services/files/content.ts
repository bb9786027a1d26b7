import type { Readable } from 'node:stream'
import { type Database, transaction } from '#lib/database/database.ts'
import type { ByteRange, ObjectStore, Presentation } from '#lib/object-store/object-store.ts'
import type { File } from '#schemas/files.ts'
import { answered } from '#services/storage/answered.ts'
import { type StorageContext, storeOf, Writing } from '#services/storage/storage.ts'
import type { ExpectedVersions } from '#services/users/users.ts'
import { type SpaceContext, spaceOf } from './context.ts'
import { emittingInSpace } from './emitting-in-space.ts'
import {
  FileBeingScanned,
  FileChanged,
  FileEmpty,
  FileNotFound,
  FileQuarantined,
  FileTooLarge,
} from './errors.ts'
import { fileWritten } from './events.ts'
import { Examination } from './examination.ts'
import { fileOf, missing, present, quotaOf, statusOf } from './files.ts'
import { scanFileJob } from './jobs.ts'
import { PURPOSES } from './purposes.ts'
import * as queries from './queries.ts'

/** Seconds after which a content that is being scanned may be read, if the scanner is there. */
const SCAN_SECONDS = 2

/** Bytes on their way to become the content of a file. */
export interface Upload {
  readonly pieces: AsyncIterable<Uint8Array>
  /** How many there are, if that is known. */
  readonly length: number | undefined
}

/** The content of a file. */
export interface Content {
  /** Name of the object. */
  readonly key: string
  readonly purpose: File['purpose']
  readonly name: string
  readonly mediaType: string
  readonly size: number
  readonly sha256: Buffer
  /** When it was written. */
  readonly writtenAt: Date
  /** Opens it, or a part of it. */
  open(range?: ByteRange): Promise<Readable>
  /** Returns where the store itself has it; undefined where it is read through the service. */
  readonly locate: ((as: Presentation) => Promise<string>) | undefined
  /** Returns where the proxy in front of the service finds it; undefined where it finds nothing. */
  readonly handOver: (() => Promise<string>) | undefined
}

/**
 * Writes or replaces the content of a file. Nothing of the file changes unless all of it has arrived and is on disk.
 *
 * @throws FileNotFound, FileChanged, FileTooLarge, FileTypeNotAllowed, StorageQuotaReached, UploadInterrupted,
 * FileStoreUnavailable, FilesDisabled
 */
export async function write(
  ctx: SpaceContext,
  id: string,
  upload: Upload,
  versions: ExpectedVersions,
): Promise<File> {
  const file = present(await queries.selectFile(ctx.db, id))
  if (file.deleted_at !== null) throw new FileNotFound()
  if (versions !== undefined && !versions.includes(file.updated_at)) throw new FileChanged()
  const { purpose, key: replaced } = file
  return writeInto(ctx, { purpose, replaced }, upload, (written) =>
    transaction(ctx, async (tx) => {
      const row = await settle(tx, id, written.content, versions)
      await written.keep(tx.db)
      return fileOf(row)
    }),
  )
}

/**
 * Sets the content of a file to one that was written for it, in a transaction.
 *
 * @throws FileNotFound, FileChanged
 */
export async function settle(
  tx: SpaceContext,
  id: string,
  content: queries.WrittenContent,
  versions?: ExpectedVersions,
): Promise<queries.FileRow> {
  const db = emittingInSpace(tx, fileWritten, { subject: id, data: {} })
  const scan = firstVerdict(tx)
  const row = await queries.updateContent(db, id, { ...content, scan }, versions)
  if (row === undefined) return missing(tx, id)
  await haveScanned(tx, row)
  return row
}

/**
 * Sets the content of a file to one that was complete at a moment and had to be read first, in a transaction. What was written
 * since then stays. In the trash a file gets it as well: it may be restored.
 *
 * @returns whether the file has got it
 * @throws FileNotFound
 */
export async function settleLate(
  tx: SpaceContext,
  id: string,
  content: queries.WrittenContent,
  completedAt: string,
): Promise<boolean> {
  const db = emittingInSpace(tx, fileWritten, { subject: id, data: {} })
  const row = await queries.updateLateContent(db, id, { ...content, scan: firstVerdict(tx) }, completedAt)
  if (row !== undefined) await haveScanned(tx, row)
  else present(await queries.selectFile(tx.db, id))
  return row !== undefined
}

/** The first word of the scanner on a content: null where nobody scans. */
export function firstVerdict({ files }: Pick<SpaceContext, 'files'>): queries.FileRow['scan'] {
  return files.scanning === undefined ? null : 'waiting'
}

/** Has the scanner look at the content that a file just got, in the transaction. */
export async function haveScanned({ db, jobs }: SpaceContext, row: queries.FileRow): Promise<void> {
  const { id, key, scan } = row
  if (scan === 'waiting' && key !== null) await jobs.enqueue(db, scanFileJob, { space: spaceOf(db), id, key })
}

/** The place that bytes get. */
interface Place {
  readonly purpose: File['purpose']
  /** Name of the object that a file has now, and that it will have no more; null when it has no object. */
  readonly replaced: string | null
}

/** Bytes that the store has, and no file yet. */
interface Written {
  readonly content: queries.WrittenContent
  /** Says, over the connection of a transaction, that a file has them now. */
  keep(db: Database): Promise<void>
}

/**
 * Writes bytes to the store, for `give` to say who has them. What it did not keep is removed.
 *
 * @throws FileTooLarge, FileTypeNotAllowed, StorageQuotaReached, UploadInterrupted, FileStoreUnavailable, FilesDisabled, and
 * what `give` throws
 */
export async function writeInto<T>(
  ctx: SpaceContext,
  { purpose, replaced }: Place,
  { pieces, length }: Upload,
  give: (written: Written) => Promise<T>,
): Promise<T> {
  const store = storeOf(ctx)
  const { maxSize, types } = PURPOSES[purpose]
  const limit = Math.min(maxSize, ctx.files.maxSize)
  if (length !== undefined && length > limit) throw new FileTooLarge()
  const space = { space: spaceOf(ctx.db), quota: quotaOf(ctx) }
  const writing = await Writing.begin(ctx, { ...space, length, replaced: replaced ?? undefined })
  try {
    const examination = new Examination({ limit, types, reach: (bytes) => writing.reach(bytes) })
    await answered(store.write(writing.key, examination.watch(pieces), length))
    const content = { key: writing.key, ...(await examination.result()) }
    const given = await give({ content, keep: (db) => writing.keep(db, content.size) })
    if (!writing.isKept) await writing.discard(ctx)
    return given
  } catch (error) {
    await writing.discard(ctx)
    throw error
  }
}

/**
 * Returns the content of a file.
 *
 * @throws FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, FilesDisabled
 */
export async function read(ctx: SpaceContext, id: string): Promise<Content> {
  return contentOf(ctx, present(await queries.selectFile(ctx.db, id)))
}

/**
 * Returns the avatar of the context's person.
 *
 * @throws as `read`
 */
export async function readAvatar(ctx: SpaceContext): Promise<Content> {
  return contentOf(ctx, present(await queries.selectAvatar(ctx.db)))
}

/**
 * Returns the content of a row.
 *
 * @throws FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, FilesDisabled
 */
export function contentOf(ctx: Pick<StorageContext, 'storage'>, row: queries.FileRow): Content {
  const { key, name, purpose, media_type, size, sha256, written_at } = row
  const store = storeOf(ctx)
  if (row.deleted_at !== null) throw new FileNotFound()
  if (key === null || media_type === null || sha256 === null || written_at === null) throw new FileEmpty()
  const status = statusOf(row)
  if (status === 'scanning') throw new FileBeingScanned({ retryAfter: SCAN_SECONDS })
  if (status === 'quarantined') throw new FileQuarantined()
  return {
    key,
    name,
    purpose,
    mediaType: media_type,
    size: Number(size),
    sha256,
    writtenAt: new Date(written_at),
    ...waysTo(store, key),
  }
}

/** How the bytes of an object are read. */
export function waysTo(store: ObjectStore, key: string): Pick<Content, 'open' | 'locate' | 'handOver'> {
  const { locate, handOver } = store
  return {
    open: (range) => answered(store.read(key, range)),
    locate: locate && ((as) => answered(locate(key, as))),
    handOver: handOver && (() => answered(handOver(key))),
  }
}
