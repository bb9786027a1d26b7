import { type Static, Type } from '@sinclair/typebox'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'
import { UserParams } from './users.ts'

/** A signed-in device or program. */
export const Session = Type.Object(
  {
    id: Uuid('Identifier of the session.'),
    is_current: Type.Boolean({ description: 'Whether it is the session of this request.', examples: [true] }),
    user_agent: Nullable(
      Type.String({
        description: 'User agent of the client when it signed in.',
        examples: ['Mozilla/5.0 (X11; Linux x86_64)'],
      }),
    ),
    ip: Type.String({ description: 'Address that it signed in from.', examples: ['203.0.113.7'] }),
    created_at: Timestamp('When it signed in.'),
    last_used_at: Timestamp('When it last refreshed its tokens.'),
    expires_at: Timestamp(
      'When it ends unless it is used before; use never extends it beyond its absolute lifetime.',
    ),
  },
  { $id: 'Session', additionalProperties: false, description: 'A session: one sign-in and its tokens.' },
)
export type Session = Static<typeof Session>

/** Query of the lists of sessions. */
export const ListSessionsQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListSessionsQuery = Static<typeof ListSessionsQuery>

export const SessionPage = Page(ref(Session), 'SessionPage')
export type SessionPage = Static<typeof SessionPage>

// In the one spelling that ids are compared in.
const SessionId = Uuid('Identifier of the session.', { 'x-normalize': 'lowercase' })

/** Path parameters of one of one's own sessions. */
export const SessionParams = Type.Object({ id: SessionId }, { additionalProperties: false })

/** Path parameters of a session of some user. */
export const UserSessionParams = Type.Object(
  { ...UserParams.properties, session_id: SessionId },
  { additionalProperties: false },
)
