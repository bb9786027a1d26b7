import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { type CreateFileLink, type FileLink, VARIANT_NAMES, type VariantName } from '#schemas/files.ts'
import { emit } from '#services/events/emit.ts'
import { type Content, contentOf, read } from './content.ts'
import { type FilesContext, type SpaceContext, spaceOf } from './context.ts'
import { isOfOrganization } from './emitting-in-space.ts'
import { InvalidLink } from './errors.ts'
import { fileShared } from './events.ts'
import { statusOf } from './files.ts'
import * as queries from './queries.ts'

/** The contents of a link. */
interface Claims {
  /** The user or organization that the file belongs to. */
  readonly space: string
  readonly id: string
  /** When the content was written, in milliseconds since 1970: another content is not what was shared. */
  readonly writtenAt: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Whether browsers always save it. */
  readonly download: boolean
  /** The smaller copy that it leads to; undefined for the content itself. */
  readonly variant: VariantName | undefined
}

/** Content that a link leads to; of what has a `variant`, only that copy was shared. */
export interface SharedContent extends Content, Pick<Claims, 'download' | 'space' | 'variant'> {}

/** Seconds for which a link works, unless its sender says otherwise. */
const DEFAULT_LIFETIME_S = 900

/** Bytes of the signature; 128 bits are beyond guessing. */
const TAG_LENGTH = 16

/**
 * Returns a link to the content that a file has now. It works without a token, until it expires, the file is deleted or
 * gets another content, or whom it belongs to is gone.
 *
 * @throws FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, FilesDisabled
 */
export async function create(
  ctx: SpaceContext,
  id: string,
  { expires_in = DEFAULT_LIFETIME_S, download = false, variant }: CreateFileLink,
): Promise<FileLink> {
  const { writtenAt } = await read(ctx, id)
  if (isOfOrganization(ctx)) await transaction(ctx, (tx) => emit(tx, fileShared, { subject: id, data: {} }))
  const { linkBase, linkKey, linkMs } = ctx.files
  const expiresAt = ctx.now().getTime() + Math.min(expires_in * 1000, linkMs)
  const claims = { space: spaceOf(ctx.db), id, writtenAt: writtenAt.getTime(), expiresAt, download, variant }
  return {
    url: `${linkBase}/api/v1/shared-files/${id}?token=${encode(linkKey, claims)}`,
    expires_at: new Date(expiresAt).toISOString(),
  }
}

/**
 * Returns the content that a link leads to.
 *
 * @throws InvalidLink, FilesDisabled
 */
export async function open(ctx: Context & FilesContext, id: string, token: string): Promise<SharedContent> {
  const claims = decode(ctx.files.linkKey, id, token)
  if (claims === undefined || claims.expiresAt <= ctx.now().getTime()) throw new InvalidLink()
  const row = await queries.selectSharedFile(new SystemDatabase(ctx.db), claims.space, id)
  if (row === undefined || statusOf(row) !== 'ready') throw new InvalidLink()
  const content = contentOf(ctx, row)
  if (content.writtenAt.getTime() !== claims.writtenAt) throw new InvalidLink()
  return { ...content, download: claims.download, space: claims.space, variant: claims.variant }
}

function encode(key: KeyObject, claims: Claims): string {
  const { space, writtenAt, expiresAt, download, variant } = claims
  const words = [space, writtenAt, expiresAt, Number(download), ...(variant === undefined ? [] : [variant])]
  const text = Buffer.from(words.join(' '))
  return Buffer.concat([tagOf(key, claims, text), text]).toString('base64url')
}

function decode(key: KeyObject, id: string, token: string): Claims | undefined {
  const bytes = Buffer.from(token, 'base64url')
  // Node skips what is not base64url, so that one link would have many spellings.
  if (bytes.toString('base64url') !== token) return undefined
  const [tag, text] = [bytes.subarray(0, TAG_LENGTH), bytes.subarray(TAG_LENGTH)]
  const [space = '', writtenAt, expiresAt, download, name] = text.toString().split(' ')
  const variant = VARIANT_NAMES.find((one) => one === name)
  if (tag.length !== TAG_LENGTH || !timingSafeEqual(tag, tagOf(key, { id, variant }, text))) return undefined
  return {
    space,
    id,
    writtenAt: Number(writtenAt),
    expiresAt: Number(expiresAt),
    download: download === '1',
    variant,
  }
}

/** Signs a link; one to a copy in another way, so that a version of the service that knows no such links refuses it. */
function tagOf(key: KeyObject, { id, variant }: Pick<Claims, 'id' | 'variant'>, text: Buffer): Buffer {
  const about = variant === undefined ? id : `${id}\0${variant}`
  return createHmac('sha256', key).update(`${about}\0`).update(text).digest().subarray(0, TAG_LENGTH)
}
