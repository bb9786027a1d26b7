import type { CreateFileLink, FileLink } from '#schemas/files.ts'
import type { FilesContext, SpaceContext } from '#services/files/context.ts'
import * as links from '#services/files/links.ts'
import type { VariantsContext } from './context.ts'
import { copyOf, ofFile } from './variants.ts'

// Links to files, and to smaller copies of images.

/**
 * Returns a link to the content that a file has now, or to a smaller copy of it, which is made meanwhile.
 *
 * @throws FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, VariantUnavailable, FilesDisabled
 */
export async function create(
  ctx: SpaceContext<FilesContext & VariantsContext>,
  id: string,
  link: CreateFileLink,
): Promise<FileLink> {
  if (link.variant !== undefined) await ofFile(ctx, id, link.variant)
  return links.create(ctx, id, link)
}

/**
 * Returns what a link leads to; undefined while the copy is being made.
 *
 * @throws InvalidLink, VariantUnavailable, FilesDisabled
 */
export async function open(
  ctx: FilesContext & VariantsContext,
  id: string,
  token: string,
): Promise<links.SharedContent | undefined> {
  const shared = await links.open(ctx, id, token)
  const { variant: name, space } = shared
  if (name === undefined) return shared
  const copy = await copyOf(ctx, shared, { name, space })
  return copy && { ...shared, ...copy }
}
