import { defineError } from '#lib/errors.ts'

export const InvalidRefreshToken = defineError({
  code: 'invalid_refresh_token',
  status: 401,
  title: 'Invalid refresh token',
  detail: 'The refresh token is not valid any more: sign in again.',
})

export const SessionNotFound = defineError({
  code: 'session_not_found',
  status: 404,
  title: 'Session not found',
  detail: 'There is no open session with this id.',
})

/** Seconds since signing in, within which one's account can be deleted. */
export const FRESH_SIGN_IN_SECONDS = 300

export const FreshSignInRequired = defineError({
  code: 'fresh_sign_in_required',
  status: 401,
  title: 'Sign in again',
  detail:
    'This needs a sign-in within the last 5 minutes. Sign in again, and repeat the request with the new token.',
  challenge: `Bearer error="insufficient_user_authentication", error_description="a recent sign-in is needed", max_age="${FRESH_SIGN_IN_SECONDS}"`,
})
