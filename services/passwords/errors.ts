import { defineError } from '#lib/errors.ts'

export const PasswordQueueFull = defineError({
  code: 'password_queue_full',
  status: 503,
  title: 'Too many passwords at once',
  detail: 'The service is checking as many passwords as it can.',
})

export const PasswordTooCommon = defineError({
  code: 'password_too_common',
  status: 400,
  title: 'Password too common',
  detail: 'The password is among the most common ones, which are tried first.',
})

export const PasswordHoldsIdentity = defineError({
  code: 'password_holds_identity',
  status: 400,
  title: 'Password contains a name',
  detail: 'The password contains the username, the email address or a name of this service.',
})

export const PasswordBreached = defineError({
  code: 'password_breached',
  status: 400,
  title: 'Password known from a breach',
  detail: 'The password is known from a breach of another service.',
})

export const PasswordCheckUnavailable = defineError({
  code: 'password_check_unavailable',
  status: 503,
  title: 'Password not checked',
  detail: 'The password cannot be checked against known breaches at the moment.',
})

/** Whatever a new password can be refused for. */
export const NEW_PASSWORD_ERRORS = [
  PasswordTooCommon,
  PasswordHoldsIdentity,
  PasswordBreached,
  PasswordCheckUnavailable,
  PasswordQueueFull,
] as const
