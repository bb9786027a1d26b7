import { createHash } from 'node:crypto'
import { transaction } from '#lib/database/database.ts'
import { ImageRefused } from '#lib/images/image-error.ts'
import { COPY_TYPE } from '#lib/images/image-options.ts'
import { makeCopy } from '#lib/images/make-copy.ts'
import type { File } from '#schemas/files.ts'
import { answered } from '#services/storage/answered.ts'
import { hold, storeOf, Writing } from '#services/storage/storage.ts'
import type { VariantsContext } from './context.ts'
import * as queries from './queries.ts'
import { SIZES } from './sizes.ts'

/** The copy that a job makes. */
export interface Task extends queries.Variant {
  /** The user or organization that it counts for. */
  readonly space: string
  readonly purpose: File['purpose']
}

/**
 * Makes a copy that was asked for.
 *
 * @throws FileStoreUnavailable, FilesDisabled, and what the signal is aborted with
 */
export async function make(ctx: VariantsContext, task: Task, signal: AbortSignal): Promise<void> {
  const row = await queries.selectVariant(ctx.db, task)
  // It was made before, or what it is made of is gone.
  if (row?.state !== 'making' || !(await hold(ctx.db, task.key))) return
  const { maxPixels, maxMemory } = ctx.variants
  const image = await answered(storeOf(ctx).read(task.key))
  try {
    const options = { ...SIZES[task.purpose][task.name], maxPixels, maxMemory }
    await keep(ctx, task, await makeCopy(image, options, { signal }))
  } catch (error) {
    ctx.variants.count(error instanceof ImageRefused ? 'impossible' : 'failed')
    if (!(error instanceof ImageRefused)) throw error
    ctx.log.info({ err: error, key: task.key }, 'no copy can be made of an image')
    await queries.markImpossible(ctx.db, task)
  } finally {
    image.destroy()
  }
}

async function keep(ctx: VariantsContext, task: Task, copy: Buffer): Promise<void> {
  const { key, name, space } = task
  const size = copy.length
  const sha256 = createHash('sha256').update(copy).digest()
  const writing = await Writing.begin(ctx, { space, quota: null, length: size })
  try {
    await answered(storeOf(ctx).write(writing.key, once(copy), size))
    const made = { variant_key: writing.key, media_type: COPY_TYPE, size, sha256 }
    const isKept = await transaction(ctx, async (tx) => {
      if (!(await hold(tx.db, key)) || !(await queries.updateMade(tx.db, { key, name }, made))) return false
      await writing.keep(tx.db, size)
      return true
    })
    if (isKept) ctx.variants.count('made')
    else await writing.discard(ctx)
  } catch (error) {
    await writing.discard(ctx)
    throw error
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
