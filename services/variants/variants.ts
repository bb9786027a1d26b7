import { transaction } from '#lib/database/database.ts'
import type { VariantName } from '#schemas/files.ts'
import { type Content, read, readAvatar, waysTo } from '#services/files/content.ts'
import { type FilesContext, type SpaceContext, spaceOf } from '#services/files/context.ts'
import { storeOf } from '#services/storage/storage.ts'
import type { VariantsContext } from './context.ts'
import { VariantUnavailable } from './errors.ts'
import { makeVariantJob } from './jobs.ts'
import type { Task } from './making.ts'
import * as queries from './queries.ts'
import { IMAGES } from './sizes.ts'

// Smaller copies of images. Each belongs to the object that it was made of, so it is never of another content, and goes
// with it. It is made when it is first asked for.

/** Milliseconds after which a copy that is being made is asked for again: its job was lost. */
const AGAIN_MS = 10 * 60_000

type VariantsSpace = SpaceContext<FilesContext & VariantsContext>

/**
 * Returns a smaller copy of the content of a file; undefined while it is being made.
 *
 * @throws FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, VariantUnavailable, FilesDisabled
 */
export async function ofFile(
  ctx: VariantsSpace,
  id: string,
  name: VariantName,
): Promise<Content | undefined> {
  return copyOf(ctx, await read(ctx, id), { name, space: spaceOf(ctx.db) })
}

/**
 * Returns a smaller copy of the avatar of the context's person; undefined while it is being made.
 *
 * @throws as `ofFile`
 */
export async function ofAvatar(ctx: VariantsSpace, name: VariantName): Promise<Content | undefined> {
  return copyOf(ctx, await readAvatar(ctx), { name, space: spaceOf(ctx.db) })
}

/**
 * Returns a smaller copy of a content that the caller may read; undefined while it is being made.
 *
 * @throws VariantUnavailable, FilesDisabled
 */
export async function copyOf(
  ctx: VariantsContext,
  content: Content,
  { name, space }: { name: VariantName; space: string },
): Promise<Content | undefined> {
  const { isEnabled, maxSize } = ctx.variants
  const { key, purpose } = content
  const store = storeOf(ctx)
  if (!isEnabled || !IMAGES.has(content.mediaType) || content.size > maxSize) throw new VariantUnavailable()
  const row = await queries.selectVariant(ctx.db, { key, name })
  if (row?.state === 'impossible') throw new VariantUnavailable()
  if (row?.state !== 'made') {
    await ask(ctx, { key, name, space, purpose })
    return undefined
  }
  return {
    ...content,
    key: row.variant_key,
    name: nameOf(content.name),
    mediaType: row.media_type,
    size: Number(row.size),
    sha256: row.sha256,
    writtenAt: new Date(row.updated_at),
    ...waysTo(store, row.variant_key),
  }
}

async function ask(ctx: VariantsContext, task: Task): Promise<void> {
  await transaction(ctx, async (tx) => {
    if (await queries.insertVariant(tx.db, task, AGAIN_MS)) await tx.jobs.enqueue(tx.db, makeVariantJob, task)
  })
}

/** The name of a copy: `photo.webp` of `photo.jpeg`. */
function nameOf(name: string): string {
  return `${name.replace(/\.[^.]{1,5}$/, '')}.webp`
}
