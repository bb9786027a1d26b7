import type { Context } from '#lib/context.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { ListSettingsQuery, Setting, SettingPage } from '#schemas/settings.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'

const LIST = 'settings'

/** The parts that this needs. */
export interface SettingsContext extends Context {
  readonly cursors: Cursors
  /** All of them, in the order of the documentation. */
  readonly settings: readonly Setting[]
}

/**
 * Returns a page of the settings of the process that answers, in the order of the documentation. No secret is in it.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: Pick<SettingsContext, 'cursors' | 'settings'>,
  actor: Actor,
  { limit, cursor, q = '' }: ListSettingsQuery,
): Promise<SettingPage> {
  assertAdmin(actor)
  const after = cursor === undefined ? undefined : ctx.cursors.decode(LIST, cursor)
  const start = ctx.settings.findIndex(({ key }) => key === after) + 1
  const text = q.toLowerCase()
  const found = ctx.settings
    .slice(start)
    .filter(({ key, description }) => `${key}\n${description}`.toLowerCase().includes(text))
  return ctx.cursors.pageBy(LIST, found, limit, ({ key }) => key)
}
