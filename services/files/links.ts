import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { CreateFileLink, FileLink } from '#schemas/files.ts'
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
}

/** Content that a link leads to. */
export interface SharedContent extends Content {
  readonly download: boolean
}

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
  { expires_in = DEFAULT_LIFETIME_S, download = false }: CreateFileLink,
): Promise<FileLink> {
  const { writtenAt } = await read(ctx, id)
  if (isOfOrganization(ctx)) await transaction(ctx, (tx) => emit(tx, fileShared, { subject: id, data: {} }))
  const { linkBase, linkKey, linkMs } = ctx.files
  const expiresAt = ctx.now().getTime() + Math.min(expires_in * 1000, linkMs)
  const claims = { space: spaceOf(ctx.db), id, writtenAt: writtenAt.getTime(), expiresAt, download }
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
  return { ...content, download: claims.download }
}

function encode(key: KeyObject, claims: Claims): string {
  const { space, writtenAt, expiresAt, download } = claims
  const text = Buffer.from([space, writtenAt, expiresAt, Number(download)].join(' '))
  return Buffer.concat([tagOf(key, claims.id, text), text]).toString('base64url')
}

function decode(key: KeyObject, id: string, token: string): Claims | undefined {
  const bytes = Buffer.from(token, 'base64url')
  const [tag, text] = [bytes.subarray(0, TAG_LENGTH), bytes.subarray(TAG_LENGTH)]
  if (tag.length !== TAG_LENGTH || !timingSafeEqual(tag, tagOf(key, id, text))) return undefined
  const [space = '', writtenAt, expiresAt, download] = text.toString().split(' ')
  return {
    space,
    id,
    writtenAt: Number(writtenAt),
    expiresAt: Number(expiresAt),
    download: download === '1',
  }
}

function tagOf(key: KeyObject, id: string, text: Buffer): Buffer {
  return createHmac('sha256', key).update(`${id}\0`).update(text).digest().subarray(0, TAG_LENGTH)
}
