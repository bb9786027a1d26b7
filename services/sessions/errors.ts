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

export const ReauthenticationRequired = defineError({
  code: 'reauthentication_required',
  status: 401,
  title: 'Authenticate again',
  detail:
    'This needs a recent proof of who you are: send the password to `reauthenticate`, then repeat the request.',
})
