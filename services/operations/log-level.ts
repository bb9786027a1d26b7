import type { Context } from '#lib/context.ts'
import type { LogLevels } from '#schemas/log-levels.ts'
import { recordEvent } from '#services/security-events/security-events.ts'

/** Who changes the levels. */
interface Actor {
  readonly user_id: string
  readonly session_id: string
}

/** Changes what is logged, and records who did. */
export async function change(
  ctx: Context,
  { user_id, session_id }: Actor,
  levels: LogLevels,
  apply: (levels: LogLevels) => void,
): Promise<LogLevels> {
  await recordEvent(ctx, { kind: 'log_levels_changed', user_id, session_id })
  apply(levels)
  ctx.log.warn({ user_id, log_levels: levels }, 'log levels changed by an admin')
  return levels
}
