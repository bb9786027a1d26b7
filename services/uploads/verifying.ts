import { transaction } from '#lib/database/database.ts'
import { settle } from '#services/files/content.ts'
import type { FilesContext, SpaceContext } from '#services/files/context.ts'
import { FileNotFound } from '#services/files/errors.ts'
import { keepWhole } from '#services/storage/appending.ts'
import { examined } from './examined.ts'
import * as queries from './queries.ts'

/**
 * Reads all that came to the store, and makes it the content of the file.
 *
 * @throws FileStoreUnavailable, UploadInterrupted, FilesDisabled
 */
export async function verify(ctx: SpaceContext<FilesContext>, id: string): Promise<void> {
  const row = await queries.selectUpload(ctx.db, id)
  if (row === undefined || row.key === null || row.completed_at === null) return
  const { key } = row
  const content = { key, ...(await (await examined(ctx, key)).result()) }
  try {
    await transaction(ctx, async (tx) => {
      await settle(tx, id, content)
      await queries.finishUpload(tx.db, id, content.size)
      await keepWhole(tx.db, key, content.size)
    })
  } catch (error) {
    // It was deleted meanwhile, and its bytes are.
    if (!(error instanceof FileNotFound)) throw error
  }
}
