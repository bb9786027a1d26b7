import { type Static, Type } from '@sinclair/typebox'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'
import { UserParams } from './users.ts'

/** When and how the user of a session last proved who they are; refreshing changes neither. */
const authentication = {
  authenticated_at: Timestamp('When its user last proved who they are: by signing in, or since.'),
  methods: Type.Array(Type.String({ description: 'A name of RFC 8176.', examples: ['pwd'] }), {
    description: 'How they did, by the names of RFC 8176: `pwd` is the password. More may follow.',
    examples: [['pwd']],
  }),
}

/** Answer of reauthenticate. */
export const Authentication = Type.Object(authentication, {
  $id: 'Authentication',
  additionalProperties: false,
  description: 'When and how the user of a session last proved who they are.',
})
export type Authentication = Static<typeof Authentication>

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
    ...authentication,
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
