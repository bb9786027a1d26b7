import { createHash, type Hash } from 'node:crypto'
import { transaction } from '#lib/database/database.ts'
import { ServiceError } from '#lib/errors.ts'
import { settle } from '#services/files/content.ts'
import { FileTooLarge, UploadInterrupted } from '#services/files/errors.ts'
import type { Examination } from '#services/files/examination.ts'
import { quotaOf } from '#services/files/files.ts'
import { Appender } from '#services/storage/appending.ts'
import { ObjectTaken } from '#services/storage/errors.ts'
import { storeOf } from '#services/storage/storage.ts'
import type { Outcome, UploadContext } from './context.ts'
import { InvalidUpload, UploadChecksumMismatch, UploadNotFound, UploadOffsetMismatch } from './errors.ts'
import { examined } from './examined.ts'
import * as queries from './queries.ts'
import { present, type UploadState, uploadOf } from './state.ts'

/** Bytes that go on with an upload. */
export interface Part {
  readonly offset: number
  readonly pieces: AsyncIterable<Uint8Array>
  /** How many there are, if that is known. */
  readonly bytes: number | undefined
  /** Has `pieces` end. */
  stop(): void
  /** Bytes of the whole content, if they are said now. */
  readonly length: number | undefined
  /** Whether these are the last ones. */
  readonly isLast: boolean
  /** The digest of the bytes, without which none of them counts. */
  readonly checksum: { readonly algorithm: 'sha1' | 'sha256'; readonly digest: Buffer } | undefined
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // There is nothing.
}

/** A part without bytes; its offset is to be added. */
export const NO_BYTES: Omit<Part, 'offset'> = {
  get pieces() {
    return nothing()
  },
  bytes: 0,
  stop: () => undefined,
  length: undefined,
  isLast: false,
  checksum: undefined,
}

/**
 * Goes on with an upload. What has come counts, also if the rest does not come. With the last byte the file gets its content.
 *
 * @throws UploadNotFound, UploadOffsetMismatch, InvalidUpload, UploadChecksumMismatch, ObjectTaken, UploadInterrupted,
 * FileTooLarge, FileNotFound, StorageQuotaReached, FileStoreUnavailable, FilesDisabled
 */
export function append(ctx: UploadContext, id: string, part: Part): Promise<UploadState> {
  return counted(ctx, goOn(ctx, id, part))
}

/** Counts what became of a request that brought bytes. */
export async function counted(ctx: UploadContext, work: Promise<UploadState>): Promise<UploadState> {
  try {
    const upload = await work
    ctx.uploads.count(upload.complete ? 'finished' : 'stored')
    return upload
  } catch (error) {
    ctx.uploads.count(outcomeOf(error))
    throw error
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof UploadInterrupted) return 'cut'
  if (error instanceof ObjectTaken) return 'taken_over'
  return error instanceof ServiceError && error.definition.status < 500 ? 'refused' : 'failed'
}

async function goOn(ctx: UploadContext, id: string, part: Part): Promise<UploadState> {
  const row = present(await queries.selectUpload(ctx.db, id))
  if (row.key === null) return repeated(row, part)
  const { key } = row
  const appender = await Appender.begin(ctx, key, {
    quota: quotaOf(ctx),
    stop: part.stop,
    allOrNothing: part.checksum !== undefined,
  })
  // It was finished or deleted meanwhile.
  if (appender === undefined) return repeated(present(await queries.selectUpload(ctx.db, id)), part)
  try {
    assertOffset(part, appender.offset)
    const limit = Math.min(ctx.files.maxSize, storeOf(ctx).largestAppended)
    const length = await agreedLength(ctx, row, part, { appender, limit })
    const examination = ctx.uploads.digests.take(key, appender.offset, limit)
    await receive(appender, part, { examination, limit: length ?? limit, isKnown: length !== undefined })
    const total = length ?? (part.isLast ? appender.offset : undefined)
    if (total === appender.offset) return await finish(ctx, id, { key, appender, examination })
    if (part.isLast) throw new InvalidUpload({ detail: 'The upload is shorter than its length.' })
    await appender.settle()
    if (examination !== undefined) ctx.uploads.digests.put(key, examination)
    return uploadOf({ ...row, length: length === undefined ? null : String(length) }, appender.offset)
  } finally {
    await appender.end()
  }
}

/** The answer to a request that comes again, because its answer was lost. */
function repeated(row: queries.UploadRow, part: Part): UploadState {
  if (row.key !== null) throw new UploadNotFound()
  const length = Number(row.length)
  assertOffset(part, length)
  if (part.bytes !== 0) throw new InvalidUpload({ detail: 'The upload is complete.' })
  return uploadOf(row, length)
}

function assertOffset({ offset }: Part, expected: number): void {
  if (offset !== expected) throw new UploadOffsetMismatch({ detail: `The upload goes on at ${expected}.` })
}

/** The length of the whole, as it was said before or is now; undefined if it was not. */
async function agreedLength(
  ctx: UploadContext,
  row: queries.UploadRow,
  { offset, length, bytes, isLast }: Part,
  { appender, limit }: { appender: Appender; limit: number },
): Promise<number | undefined> {
  const known = row.length === null ? undefined : Number(row.length)
  const said = length ?? (isLast && bytes !== undefined ? offset + bytes : undefined)
  const total = known ?? said
  if (said !== undefined && said !== total)
    throw new InvalidUpload({ detail: `The length of the upload is ${total}, as it was said before.` })
  const end = bytes === undefined ? offset : offset + bytes
  if (total !== undefined && end > total) throw new InvalidUpload({ detail: TOO_LONG })
  if (Math.max(end, total ?? 0) > limit) throw new FileTooLarge()
  if (known === undefined && total !== undefined) {
    await appender.reach(total)
    await queries.updateLength(ctx.db, row.id, total)
  }
  return total
}

const TOO_LONG = 'There are more bytes than the length of the upload.'

interface Bounds {
  /** Sees all bytes, if it has seen all before. */
  readonly examination: Examination | undefined
  /** Bytes that there may be in all. */
  readonly limit: number
  /** Whether that is the length of the upload. */
  readonly isKnown: boolean
}

/** Takes what comes. Without a checksum, what came before a failure is settled. */
async function receive(appender: Appender, { pieces, checksum }: Part, bounds: Bounds): Promise<void> {
  const hash = checksum && createHash(checksum.algorithm)
  try {
    await takeAll(appender, bounds.examination?.watch(pieces) ?? pieces, { ...bounds, hash })
  } catch (error) {
    // The first failure is the one to tell.
    if (hash === undefined) await appender.settle().catch(() => undefined)
    throw error instanceof ServiceError ? error : new UploadInterrupted({ cause: error })
  }
  if (hash && checksum && !hash.digest().equals(checksum.digest)) throw new UploadChecksumMismatch()
}

async function takeAll(
  appender: Appender,
  pieces: AsyncIterable<Uint8Array>,
  { limit, isKnown, hash }: Bounds & { hash: Hash | undefined },
): Promise<void> {
  for await (const piece of pieces) {
    if (appender.offset + piece.length > limit)
      throw isKnown ? new InvalidUpload({ detail: TOO_LONG }) : new FileTooLarge()
    hash?.update(piece)
    await appender.write(piece)
  }
}

/** Sets the content of the file. */
async function finish(
  ctx: UploadContext,
  id: string,
  { key, appender, examination }: { key: string; appender: Appender; examination: Examination | undefined },
): Promise<UploadState> {
  await appender.finish()
  const content = { key, ...(await (examination ?? (await examined(ctx, key))).result()) }
  return transaction(ctx, async (tx) => {
    await settle(tx, id, content)
    const row = present(await queries.finishUpload(tx.db, id, content.size))
    await appender.keep(tx.db)
    return uploadOf(row, content.size)
  })
}
