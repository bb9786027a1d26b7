import type { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { EventType } from '#services/events/define-event.ts'
import { emit, emitting, type Happening, tell, telling } from '#services/events/emit.ts'
import type { OrgContext } from '#services/members/membership.ts'
import type { SpaceContext } from './context.ts'

/**
 * Returns the database for a statement that writes an event too. Of a file that is a person's own, only that person is told.
 */
export function emittingInSpace<E extends EventType>(
  ctx: SpaceContext,
  event: E,
  happening: Happening<E>,
): OrgDatabase | UserDatabase {
  if (isOfOrganization(ctx)) return emitting(ctx, event, happening)
  const { db } = ctx
  return telling({ ...ctx, db }, event, { ...happening, toldTo: db.user })
}

/** Writes an event of what the context's transaction does, as `emittingInSpace` does. */
export async function emitInSpace<E extends EventType>(
  ctx: SpaceContext,
  event: E,
  happening: Happening<E>,
): Promise<void> {
  if (isOfOrganization(ctx)) await emit(ctx, event, happening)
  else await tell(ctx, event, { ...happening, toldTo: ctx.db.user })
}

/** Whether the files are an organization's. */
export function isOfOrganization(ctx: SpaceContext): ctx is SpaceContext & OrgContext {
  return 'org' in ctx.db
}
