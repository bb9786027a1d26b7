import type { Readable } from 'node:stream'
import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
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
  return writeInto(ctx, file.purpose, upload, (tx, content) => settle(tx, id, content, versions))
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
  return (await setContent(tx, db, { id, content, versions })) ?? missing(tx, id)
}

/**
 * Sets the content of a file, and has it scanned.
 *
 * @param told the database, for the statement that sets it
 */
async function setContent(
  { db, files, jobs }: Pick<SpaceContext, 'db' | 'files' | 'jobs'>,
  told: SpaceContext['db'],
  { id, content, versions }: { id: string; content: queries.WrittenContent; versions?: ExpectedVersions },
): Promise<queries.FileRow | undefined> {
  const scan = files.scanning === undefined ? null : 'waiting'
  const row = await queries.updateContent(told, id, { ...content, scan }, versions)
  if (row?.scan === 'waiting')
    await jobs.enqueue(db, scanFileJob, { space: spaceOf(db), id, key: content.key })
  return row
}

/**
 * Writes or replaces the avatar of the context's person.
 *
 * @throws as `write`
 */
export function writeAvatar(ctx: SpaceContext, upload: Upload): Promise<File> {
  return writeInto(ctx, 'avatar', upload, async (tx, content) => {
    const { emptyMs } = tx.files
    const owned = { name: 'avatar', purpose: 'avatar', created_by: tx.author } as const
    await queries.insertFile(tx.db, { ...owned, id: uuidv7(), emptyMs, maxEmpty: null })
    // That of an earlier request, if there was one.
    const { id } = present(await queries.selectAvatar(tx.db))
    return present(await setContent(tx, tx.db, { id, content }))
  })
}

async function writeInto(
  ctx: SpaceContext,
  purpose: File['purpose'],
  { pieces, length }: Upload,
  giveTo: (tx: SpaceContext, content: queries.WrittenContent) => Promise<queries.FileRow>,
): Promise<File> {
  const store = storeOf(ctx)
  const { maxSize, types } = PURPOSES[purpose]
  const limit = Math.min(maxSize, ctx.files.maxSize)
  if (length !== undefined && length > limit) throw new FileTooLarge()
  const writing = await Writing.begin(ctx, { space: spaceOf(ctx.db), quota: quotaOf(ctx), length })
  try {
    const examination = new Examination({ limit, types, reach: (bytes) => writing.reach(bytes) })
    await answered(store.write(writing.key, examination.watch(pieces), length))
    const content = { key: writing.key, ...(await examination.result()) }
    return await transaction(ctx, async (tx) => {
      const row = await giveTo(tx, content)
      await writing.keep(tx.db, content.size)
      return fileOf(row)
    })
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
