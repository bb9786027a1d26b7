import { Type } from '@sinclair/typebox'
import { StringEnum, Uuid } from '#schemas/primitives.ts'
import { defineEvent } from '#services/events/define-event.ts'

export const sessionCreated = defineEvent({
  type: 'sessions.created',
  of: 'platform',
  subject: 'session',
  description: 'A user signed in.',
  data: { user_id: Uuid('The user.') },
})

export const sessionReauthenticated = defineEvent({
  type: 'sessions.reauthenticated',
  of: 'platform',
  subject: 'session',
  description: 'A user proved again who they are.',
  data: { user_id: Uuid('The user.') },
})

export const sessionImpersonated = defineEvent({
  type: 'sessions.impersonated',
  of: 'platform',
  subject: 'session',
  description: 'An admin began to act in the place of a user.',
  data: { user_id: Uuid('The user.') },
})

export const sessionsEnded = defineEvent({
  type: 'sessions.ended',
  of: 'platform',
  subject: 'user',
  description: 'Sessions of a user ended.',
  data: {
    session_id: Type.Optional(
      Uuid('The session; absent for several: all, or all but the one that asked, where there is no `cause`.'),
    ),
    cause: Type.Optional(
      StringEnum(['refresh_token_reused', 'too_many_sessions'], {
        description:
          'Why the service ended it by itself: a refresh token was used again, so somebody has a copy of it; or a sign-in was one too many, and it had been used least lately.',
      }),
    ),
  },
})
