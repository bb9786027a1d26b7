import { transaction } from '#lib/database/database.ts'
import { settleLate } from '#services/files/content.ts'
import type { FilesContext, SpaceContext } from '#services/files/context.ts'
import { FileNotFound } from '#services/files/errors.ts'
import { dropWhole, keepWhole } from '#services/storage/appending.ts'
import { examined } from './examined.ts'
import * as queries from './queries.ts'

/**
 * Reads all that came to the store, and makes it the content of the file, unless something was written to it after the client
 * had said that all is there.
 *
 * @throws FileStoreUnavailable, UploadInterrupted, FilesDisabled
 */
export async function verify(ctx: SpaceContext<FilesContext>, id: string): Promise<void> {
  const row = await queries.selectUpload(ctx.db, id)
  if (row === undefined || row.key === null || row.completed_at === null) return
  const { key, completed_at: completedAt } = row
  const content = { key, ...(await (await examined(ctx, key)).result()) }
  try {
    await transaction(ctx, async (tx) => {
      const isKept = await settleLate(tx, id, content, completedAt)
      await queries.finishUpload(tx.db, id, content.size)
      if (isKept) await keepWhole(tx.db, key, content.size)
      else await dropWhole(tx.db, key)
    })
  } catch (error) {
    // It was deleted for good meanwhile, and its bytes are.
    if (!(error instanceof FileNotFound)) throw error
  }
}
