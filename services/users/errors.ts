import { defineError } from '#lib/errors.ts'

export const EmailTaken = defineError({
  code: 'email_taken',
  status: 409,
  title: 'Email taken',
  detail: 'Another account has this email address.',
})

export const UsernameTaken = defineError({
  code: 'username_taken',
  status: 409,
  title: 'Username taken',
  detail: 'Another account has this username.',
})

export const LastAdmin = defineError({
  code: 'last_admin',
  status: 409,
  title: 'Last admin',
  detail: 'This would leave the service without an admin who can sign in.',
})

export const UserNotFound = defineError({
  code: 'user_not_found',
  status: 404,
  title: 'User not found',
  detail: 'There is no user with this id.',
})

export const UserChanged = defineError({
  code: 'user_changed',
  status: 412,
  title: 'User changed',
  detail: 'The user is no longer as `If-Match` says: read it again, then repeat the change.',
})

export const Forbidden = defineError({
  code: 'forbidden',
  status: 403,
  title: 'Forbidden',
  detail: 'You may not do this.',
})

export const UserInactive = defineError({
  code: 'user_inactive',
  status: 409,
  title: 'User inactive',
  detail: 'The account is not active.',
})
