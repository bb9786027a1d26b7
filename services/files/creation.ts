import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
import type { CreateFile, File } from '#schemas/files.ts'
import { firstVerdict, haveScanned, type Upload, writeInto } from './content.ts'
import type { SpaceContext } from './context.ts'
import { emitInSpace, emittingInSpace } from './emitting-in-space.ts'
import { fileCreated, fileWritten } from './events.ts'
import { fileOf, present } from './files.ts'
import * as queries from './queries.ts'

// Files that come with their content, in one request: nothing of them is there before all of it is.

/** Creates the file, in the transaction of the context, or in one of its own. */
type Settle = (ctx: SpaceContext) => Promise<File>

/**
 * Creates a file with its content.
 *
 * @param once calls `settle` when the content is in the store, beside what else belongs into its transaction; what it does
 * not settle is removed
 * @throws FileTooLarge, StorageQuotaReached, UploadInterrupted, FileStoreUnavailable, FilesDisabled, and what `once` throws
 */
export function createWhole<T>(
  ctx: SpaceContext,
  { name }: CreateFile,
  upload: Upload,
  once: (settle: Settle) => Promise<T>,
): Promise<T> {
  return writeInto(ctx, { purpose: 'attachment', replaced: null }, upload, ({ content, keep }) =>
    once((own) =>
      transaction(own, async (tx) => {
        const id = uuidv7()
        const created = emittingInSpace(tx, fileCreated, { subject: id, data: {} })
        const file = { id, name, purpose: 'attachment', created_by: tx.author } as const
        const row = await queries.insertWholeFile(created, { ...file, ...content, scan: firstVerdict(tx) })
        await emitInSpace(tx, fileWritten, { subject: id, data: {} })
        await haveScanned(tx, present(row))
        await keep(tx.db)
        return fileOf(present(row))
      }),
    ),
  )
}

/**
 * Writes or replaces the avatar of the context's person.
 *
 * @throws FileTooLarge, FileTypeNotAllowed, StorageQuotaReached, UploadInterrupted, FileStoreUnavailable, FilesDisabled
 */
export async function writeAvatar(ctx: SpaceContext, upload: Upload): Promise<File> {
  const replaced = (await queries.selectAvatar(ctx.db))?.key ?? null
  return writeInto(ctx, { purpose: 'avatar', replaced }, upload, ({ content, keep }) =>
    transaction(ctx, async (tx) => {
      const file = { id: uuidv7(), name: 'avatar', purpose: 'avatar', created_by: tx.author } as const
      const row = present(
        await queries.insertWholeFile(tx.db, { ...file, ...content, scan: firstVerdict(tx) }),
      )
      await emitInSpace(tx, fileWritten, { subject: row.id, data: {} })
      await haveScanned(tx, row)
      await keep(tx.db)
      return fileOf(row)
    }),
  )
}
