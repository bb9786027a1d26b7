import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { ChangeLogLevels, LogLevels } from '#schemas/log-levels.ts'
import { recordAct } from './acts.ts'

/** The admin who changes the levels. */
interface Actor {
  readonly id: string
  readonly sessionId: string
}

/** Changes what is logged, and records who did. */
export async function change(
  ctx: Context,
  actor: Actor,
  { reason, ...levels }: ChangeLogLevels,
  apply: (levels: LogLevels) => void,
): Promise<LogLevels> {
  await transaction(ctx, async (tx) => {
    await recordAct(tx, { operation: 'changeLogLevels', reason, details: levels })
  })
  apply(levels)
  ctx.log.warn({ user_id: actor.id, log_levels: levels }, 'log levels changed by an admin')
  return levels
}
