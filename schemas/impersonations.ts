import { type Static, Type } from '@sinclair/typebox'
import { TokenPair } from './authentication.ts'
import { Reason } from './operations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'
import { Session } from './sessions.ts'

/** Longest time for which an admin acts in somebody's place. */
const MAX_MINUTES = 30

/** Body of startImpersonation. */
export const StartImpersonation = Type.Object(
  {
    user_id: Uuid('In whose place.', { 'x-normalize': 'lowercase' }),
    minutes: Type.Integer({
      minimum: 1,
      maximum: MAX_MINUTES,
      description: 'For how long; then the session ends.',
      examples: [15],
    }),
    reason: Reason,
  },
  {
    $id: 'StartImpersonation',
    additionalProperties: false,
    description: 'In whose place an admin acts, and why.',
  },
)
export type StartImpersonation = Static<typeof StartImpersonation>

/** A session in which an admin acts in somebody's place. */
export const Impersonation = Type.Object(
  {
    id: Uuid('Identifier of the session.'),
    user_id: Uuid('In whose place.'),
    impersonator_id: Uuid('The admin.'),
    reason: Nullable(Type.String({ description: 'Why.', examples: ['Ticket 4711'] })),
    created_at: Timestamp('When it began.'),
    expires_at: Timestamp('When it ends by itself.'),
    ended_at: Nullable(Timestamp('When it was ended before; null if it was not.')),
  },
  {
    $id: 'Impersonation',
    additionalProperties: false,
    description: "A session in which an admin acts in somebody's place.",
  },
)
export type Impersonation = Static<typeof Impersonation>

/** Answer of startImpersonation. */
export const StartedImpersonation = Type.Object(
  { impersonation: ref(Impersonation), tokens: ref(TokenPair) },
  {
    $id: 'StartedImpersonation',
    additionalProperties: false,
    description: "A session in which an admin acts in somebody's place, with its tokens.",
  },
)
export type StartedImpersonation = Static<typeof StartedImpersonation>

/** Path parameters of one of them. */
export const ImpersonationParams = Type.Object(
  { id: Uuid('Identifier of the session.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listImpersonations. */
export const ListImpersonationsQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListImpersonationsQuery = Static<typeof ListImpersonationsQuery>

export const ImpersonationPage = Page(ref(Impersonation), 'ImpersonationPage')
export type ImpersonationPage = Static<typeof ImpersonationPage>

const Impersonator = Type.Object(
  {
    id: Uuid('The admin.'),
    username: Type.String({ description: 'Name of the admin.', examples: ['root'] }),
    reason: Nullable(Type.String({ description: 'Why.', examples: ['Ticket 4711'] })),
  },
  { additionalProperties: false },
)

/** The session of a request. */
export const CurrentSession = Type.Object(
  {
    ...Session.properties,
    impersonator: Type.Unsafe<Static<typeof Impersonator> | null>({
      ...Impersonator,
      type: ['object', 'null'],
      description: "The admin who acts in the user's place; null for the user.",
      examples: [null],
    }),
  },
  { $id: 'CurrentSession', additionalProperties: false, description: 'The session of this request.' },
)
export type CurrentSession = Static<typeof CurrentSession>
