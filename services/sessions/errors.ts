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

export const ImpersonationForbidsThis = defineError({
  code: 'impersonation_forbids_this',
  status: 403,
  title: 'Not as somebody else',
  detail: 'An admin who acts in the place of somebody may not do this.',
})

export const ImpersonationNotAllowed = defineError({
  code: 'impersonation_not_allowed',
  status: 403,
  title: 'Impersonation not allowed',
  detail: 'Nobody acts in the place of an admin, of an account that is not active, or of themselves.',
})

export const ImpersonationNotFound = defineError({
  code: 'impersonation_not_found',
  status: 404,
  title: 'Impersonation not found',
  detail: 'There is no such session.',
})

export const ReauthenticationRequired = defineError({
  code: 'reauthentication_required',
  status: 401,
  title: 'Authenticate again',
  detail:
    'This needs a recent proof of who you are: send the password to `reauthenticate`, then repeat the request.',
})
