import { defineError } from '#lib/errors.ts'

export const MemberNotFound = defineError({
  code: 'member_not_found',
  status: 404,
  title: 'Member not found',
  detail: 'The organization has no such member.',
})

export const MemberChanged = defineError({
  code: 'member_changed',
  status: 412,
  title: 'Member changed',
  detail: 'The member is no longer as `If-Match` says: read it again, then repeat the change.',
})

export const LastOwner = defineError({
  code: 'last_owner',
  status: 409,
  title: 'Last owner',
  detail:
    'This would leave the organization without an owner who can sign in: make another member an owner first.',
})

export const SoleOwner = defineError({
  code: 'sole_owner',
  status: 409,
  title: 'Sole owner',
  detail:
    'The account is the only owner of organizations that have other members: make one of them an owner first.',
})

export const MemberLimitReached = defineError({
  code: 'member_limit_reached',
  status: 409,
  title: 'Member limit reached',
  detail: 'The organization has as many members as it may have.',
})
