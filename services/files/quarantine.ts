import { because, type Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { ListQuarantinedFilesQuery, QuarantinedFilePage } from '#schemas/administered-files.ts'
import { record } from '#services/audit/records.ts'
import { emitting, telling } from '#services/events/emit.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { FileNotQuarantined } from './errors.ts'
import { fileReleased } from './events.ts'
import * as queries from './scan-queries.ts'

// What the service's admins do with files that nobody can read because of the scanner. They see what is needed to decide,
// and not the content.

const LIST = 'quarantined files'

/**
 * Returns a page of files in quarantine, newest first, of all users and organizations.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: Context & { cursors: Cursors },
  actor: Actor,
  { limit, cursor }: ListQuarantinedFilesQuery,
): Promise<QuarantinedFilePage> {
  assertAdmin(actor)
  const before = cursor === undefined ? null : ctx.cursors.decode(LIST, cursor)
  const files = await queries.selectQuarantined(new SystemDatabase(ctx.db), { before, limit: limit + 1 })
  return ctx.cursors.page(LIST, files, limit)
}

/**
 * Lets a file out of quarantine, whatever was found in it. Another content will be scanned again. Who did it is recorded,
 * and why.
 *
 * @throws Forbidden, FileNotQuarantined
 */
export async function release(ctx: Context, actor: Actor, id: string, reason: string): Promise<void> {
  assertAdmin(actor)
  await transaction(because(ctx, reason), async (tx) => {
    const db = new SystemDatabase(tx.db)
    const owner = await queries.selectOwner(db, id)
    if (owner === undefined) throw new FileNotQuarantined()
    const { space_id, org_id } = owner
    const about = { subject: id, data: {} }
    const told =
      org_id === null
        ? telling({ ...tx, db }, fileReleased, { ...about, toldTo: space_id })
        : emitting({ ...tx, db }, fileReleased, { ...about, org: org_id })
    if (!(await queries.updateReleased(told, space_id, id))) throw new FileNotQuarantined()
    const target = { type: 'file', id }
    if (org_id === null) await record(tx, { action: 'operations.releaseQuarantinedFile', target })
  })
  ctx.log.warn({ user_id: actor.id, file_id: id }, 'an admin let a file out of quarantine')
}
