import type { Cursors } from '#lib/pagination/cursors.ts'
import type { FilePage, ListFilesQuery } from '#schemas/files.ts'
import { forPerson } from '#services/members/membership.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import type { FilesContext } from './context.ts'
import * as files from './files.ts'

/**
 * Returns a page of a user's files, newest first, as an admin sees them: without what is in them.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function listOfUser(
  ctx: FilesContext & { readonly cursors: Cursors },
  actor: Actor,
  userId: string,
  query: ListFilesQuery,
): Promise<FilePage> {
  assertAdmin(actor)
  return files.list({ ...forPerson(ctx, userId), author: null }, query)
}
