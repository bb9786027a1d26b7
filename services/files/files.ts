import { v7 as uuidv7 } from 'uuid'
import { brokenConstraint } from '#lib/database/errors.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { CreateFile, File, FilePage, ListFilesQuery, StorageUsage, UpdateFile } from '#schemas/files.ts'
import { namesOf } from '#services/events/define-event.ts'
import * as storage from '#services/storage/storage.ts'
import type { ExpectedVersions } from '#services/users/users.ts'
import { type FilesContext, type SpaceContext, spaceOf } from './context.ts'
import { emittingInSpace } from './emitting-in-space.ts'
import { AvatarExists, FileChanged, FileNotFound, TooManyEmptyFiles } from './errors.ts'
import { fileCreated, fileDeleted, fileRestored, fileTrashed, fileUpdated } from './events.ts'
import * as queries from './queries.ts'

// Whose files these are is the context's organization or person; what a member may do with them is the route's
// `permission`. Content is in content.ts.

/** Files without content that a user or organization may have. They take no space, so no quota bounds them. */
const MAX_EMPTY = 1000

/** Position in a list is that of one space, and of the trash or not. */
const listOf = ({ db }: Pick<SpaceContext, 'db'>, deleted: boolean) => `files:${spaceOf(db)}:${deleted}`

/**
 * Creates a file, which gets its content afterwards.
 *
 * @throws TooManyEmptyFiles, FilesDisabled
 */
export async function create(ctx: SpaceContext, { name }: CreateFile): Promise<File> {
  storage.storeOf(ctx)
  const { emptyMs } = ctx.files
  const owned = { purpose: 'attachment', created_by: ctx.author } as const
  const file = { ...owned, id: uuidv7(), name, emptyMs, maxEmpty: MAX_EMPTY }
  const db = emittingInSpace(ctx, fileCreated, { subject: file.id, data: {} })
  const made = await queries.insertFile(db, file)
  if (made === undefined) throw new TooManyEmptyFiles()
  return fileOf(made)
}

/**
 * Returns a page of files, newest first: those in the trash, or the others.
 *
 * @throws InvalidCursor
 */
export async function list(
  ctx: SpaceContext<FilesContext & { cursors: Cursors }>,
  { limit, cursor, deleted }: ListFilesQuery,
): Promise<FilePage> {
  const before = cursor === undefined ? null : ctx.cursors.decode(listOf(ctx, deleted), cursor)
  const rows = await queries.selectFiles(ctx.db, { deleted, before, limit: limit + 1 })
  return ctx.cursors.page(listOf(ctx, deleted), rows.map(fileOf), limit)
}

/**
 * Returns a file, in the trash or not.
 *
 * @throws FileNotFound
 */
export async function get(ctx: SpaceContext, id: string): Promise<File> {
  return fileOf(present(await queries.selectFile(ctx.db, id)))
}

/**
 * Changes what a file is called.
 *
 * @throws FileNotFound, FileChanged
 */
export async function update(
  ctx: SpaceContext,
  id: string,
  { name }: UpdateFile,
  versions: ExpectedVersions,
): Promise<File> {
  const db = emittingInSpace(ctx, fileUpdated, { subject: id, data: { changed: namesOf({ name }) } })
  return fileOf((await queries.updateName(db, id, name, versions)) ?? (await missing(ctx, id)))
}

/**
 * Puts a file into the trash, or deletes it for good.
 *
 * @throws FileNotFound, FileChanged
 */
export async function remove(
  ctx: SpaceContext,
  id: string,
  { permanently, versions }: { permanently: boolean; versions: ExpectedVersions },
): Promise<void> {
  const db = emittingInSpace(ctx, permanently ? fileDeleted : fileTrashed, { subject: id, data: {} })
  const isDone = permanently
    ? await queries.deleteFile(db, id, versions)
    : await queries.markDeleted(db, id, ctx.files.trashMs, versions)
  if (!isDone) await missing(ctx, id, permanently)
}

/**
 * Takes a file out of the trash; nothing happens if it is not there.
 *
 * @throws FileNotFound, AvatarExists
 */
export async function restore(ctx: SpaceContext, id: string): Promise<File> {
  const db = emittingInSpace(ctx, fileRestored, { subject: id, data: {} })
  try {
    const restored = await queries.unmarkDeleted(db, id, ctx.files.emptyMs)
    return restored === undefined ? await get(ctx, id) : fileOf(restored)
  } catch (error) {
    if (brokenConstraint(error) === 'files_avatar_key') throw new AvatarExists({ cause: error })
    throw error
  }
}

/** Returns how much space the files take, and may take. */
export async function usage(ctx: SpaceContext): Promise<StorageUsage> {
  const { bytes, maxBytes } = await storage.usage(ctx, spaceOf(ctx.db))
  return { bytes, max_bytes: maxBytes ?? quotaOf(ctx) }
}

/** Bytes that the files of the context's organization or person may have, unless an admin has said otherwise. */
export function quotaOf({ db, files }: Pick<SpaceContext, 'db' | 'files'>): number {
  return 'org' in db ? files.quotaPerOrganization : files.quotaPerUser
}

/** Says why a change found no row: the file is gone or in the trash, or is another version than expected. */
export async function missing(ctx: SpaceContext, id: string, inTrash = false): Promise<never> {
  const row = present(await queries.selectFile(ctx.db, id))
  if (row.deleted_at !== null && !inTrash) throw new FileNotFound()
  throw new FileChanged()
}

export function present<T>(row: T | undefined): T {
  if (row === undefined) throw new FileNotFound()
  return row
}

/** Whether a file has content that can be read. */
export function statusOf({ key, scan }: Pick<queries.FileRow, 'key' | 'scan'>): File['status'] {
  if (key === null) return 'pending'
  if (scan === 'waiting') return 'scanning'
  return scan === 'infected' || scan === 'held' ? 'quarantined' : 'ready'
}

/** The file as clients see it. */
export function fileOf({ written_at: _, size, sha256, ...file }: queries.FileRow): File {
  const { key: __, scan: ___, ...row } = file
  return {
    ...row,
    status: statusOf(file),
    size: size === null ? null : Number(size),
    sha256: sha256?.toString('hex') ?? null,
  }
}
