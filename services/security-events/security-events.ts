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
    | 'api_key_created'
    | 'api_key_changed'
    | 'api_key_rotated'
    | 'api_key_revoked'
  /** Whose doing it was, or whose account it is about. */
  userId: string
  sessionId?: string
  /** The key that it is about. */
  apiKeyId?: string
}

/** Records an event, with the client that the request came from, in the context's transaction. */
export async function recordEvent(
  ctx: Context,
  { kind, userId, sessionId, apiKeyId }: SecurityEvent,
): Promise<void> {
  await ctx.db.query({
    name: 'insertSecurityEvent',
    text: `INSERT INTO security_events (id, kind, user_id, session_id, api_key_id, ip, user_agent)
           VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    values: [uuidv7(), kind, userId, sessionId, apiKeyId, ctx.client.ip, ctx.client.userAgent],
  })
}
