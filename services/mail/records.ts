import type { Context } from '#lib/context.ts'
import { deleteMailsTo } from './queries.ts'

/** Forgets what was written to an address, but for what is still to be sent. */
export function forget(ctx: Pick<Context, 'db'>, address: string): Promise<void> {
  return deleteMailsTo(ctx.db, address)
}
