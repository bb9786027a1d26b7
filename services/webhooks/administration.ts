import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { FailingWebhookPage, ListFailingWebhooksQuery } from '#schemas/failing-webhooks.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import * as queries from './queries-of-administration.ts'

const LIST = 'failing webhooks'

/**
 * Returns a page of webhooks of all organizations that fail or are disabled, newest first. The service's admins see the
 * host that does not answer, and neither the rest of the URL, which often holds a secret, nor any message.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function listFailing(
  ctx: Pick<Context, 'db'> & { readonly cursors: Cursors },
  actor: Actor,
  { limit, cursor, ...filter }: ListFailingWebhooksQuery,
): Promise<FailingWebhookPage> {
  assertAdmin(actor)
  const before = cursor === undefined ? undefined : ctx.cursors.decode(LIST, cursor)
  const db = new SystemDatabase(ctx.db)
  const rows = await queries.selectFailing(db, { ...filter, before, limit: limit + 1 })
  const webhooks = rows.map(({ url, ...webhook }) => ({ ...webhook, host: new URL(url).host }))
  return ctx.cursors.page(LIST, webhooks, limit)
}
