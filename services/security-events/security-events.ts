import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'

/** Events of an account that a person or an operator may want to look up later. */
export interface SecurityEvent {
  kind:
    | 'reauthenticated'
    | 'refresh_token_reused'
    | 'password_changed'
    | 'password_reset'
    | 'email_changed'
    | 'sessions_ended_by_admin'
    | 'user_changed_by_admin'
    | 'log_levels_changed'
    | 'organization_suspended'
    | 'organization_restored'
  userId: string
  sessionId?: string
}

/** Records an event, with the client that the request came from, in the context's transaction. */
export async function recordEvent(ctx: Context, { kind, userId, sessionId }: SecurityEvent): Promise<void> {
  await ctx.db.query({
    name: 'insertSecurityEvent',
    text: `INSERT INTO security_events (id, kind, user_id, session_id, ip, user_agent)
           VALUES ($1, $2, $3, $4, $5, $6)`,
    values: [uuidv7(), kind, userId, sessionId, ctx.client.ip, ctx.client.userAgent],
  })
}
