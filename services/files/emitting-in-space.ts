import type { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { EventType } from '#services/events/define-event.ts'
import { emitting, type Happening } from '#services/events/emit.ts'
import type { OrgContext } from '#services/members/membership.ts'
import type { SpaceContext } from './context.ts'

/** Returns the database for a statement that, where the file is an organization's, writes an event too. */
export function emittingInSpace<E extends EventType>(
  ctx: SpaceContext,
  event: E,
  happening: Happening<E>,
): OrgDatabase | UserDatabase {
  return isOfOrganization(ctx) ? emitting(ctx, event, happening) : ctx.db
}

/** Whether the files are an organization's. */
export function isOfOrganization(ctx: SpaceContext): ctx is SpaceContext & OrgContext {
  return 'org' in ctx.db
}
