import { defineError } from '#lib/errors.ts'

/** The one answer to a token, or an id, by which nothing can be done. */
export const InvitationNotFound = defineError({
  code: 'invitation_not_found',
  status: 404,
  title: 'Invitation not found',
  detail: 'There is no such invitation: it was used, withdrawn or sent again, it has expired, or never was.',
})

export const AlreadyInvited = defineError({
  code: 'already_invited',
  status: 409,
  title: 'Already invited',
  detail: 'An invitation to this address is waiting for an answer: send it again, or delete it first.',
})

export const AlreadyMember = defineError({
  code: 'already_member',
  status: 409,
  title: 'Already a member',
  detail: 'The account with this address is a member of the organization.',
})

export const TooManyInvitations = defineError({
  code: 'too_many_invitations',
  status: 429,
  title: 'Too many invitations',
  detail: 'The organization, or this address, has had as many invitations today as are allowed.',
})

export const AccountNeeded = defineError({
  code: 'account_needed',
  status: 409,
  title: 'Account needed',
  detail:
    'No account has confirmed this address: send the `password`, and for a new account the `username`, that ' +
    '`inspectInvitation` says are needed.',
})
