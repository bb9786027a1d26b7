import type { Login, TokenPair } from '#schemas/authentication.ts'
import { InvalidRefreshToken, SessionNotFound } from '#services/sessions/errors.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import * as sessions from '#services/sessions/sessions.ts'
import { type AuthContext, login, refresh } from './authentication.ts'

// Sessions of the admin panel: those of anybody else, but shorter, and for admins only.

/** A panel that is left open is signed out after this time; it refreshes only while somebody uses it. */
const IDLE_TIMEOUT_MS = 15 * 60_000

/** A working day. */
const ABSOLUTE_TIMEOUT_MS = 8 * 3_600_000

/**
 * Signs an admin in. Anyone else learns nothing: it looks and costs the same as a wrong password.
 *
 * @throws InvalidCredentials, TooManyAttempts, PasswordQueueFull
 */
export function open(ctx: AuthContext, input: Login): Promise<TokenPair> {
  return login(shortLived(ctx), input, 'admin')
}

/**
 * Exchanges the session's refresh token for the next pair.
 *
 * @throws InvalidRefreshToken, also for somebody who is not an admin any more
 */
export async function renew(ctx: AuthContext, refreshToken: string): Promise<TokenPair> {
  const pair = await refresh(shortLived(ctx), refreshToken)
  if (pair.user.role !== 'admin') throw new InvalidRefreshToken()
  return pair
}

/** Ends the session of a refresh token; one that has ended already is as good. */
export async function end(ctx: AuthContext, refreshToken: string): Promise<void> {
  try {
    const { sessionId, user } = await sessionRecords.refresh(shortLived(ctx), refreshToken)
    await sessions.end(ctx, user, user.id, sessionId)
  } catch (error) {
    if (!(error instanceof InvalidRefreshToken || error instanceof SessionNotFound)) throw error
  }
}

function shortLived(ctx: AuthContext): AuthContext {
  const { idleTimeout, absoluteTimeout } = ctx.sessions
  return {
    ...ctx,
    sessions: {
      ...ctx.sessions,
      idleTimeout: Math.min(idleTimeout, IDLE_TIMEOUT_MS),
      absoluteTimeout: Math.min(absoluteTimeout, ABSOLUTE_TIMEOUT_MS),
    },
  }
}
