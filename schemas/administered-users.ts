import { type Static, Type } from '@sinclair/typebox'
import { Reason } from './operations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'
import { ListUsersQuery, UpdateUser, User } from './users.ts'

const { email, username, role, is_active, created_at, updated_at, id } = User.properties

/** An account as the service's admins see it. */
export const AdministeredUser = Type.Object(
  {
    ...{ id, email, username, role, is_active, created_at, updated_at },
    email_verified_at: Nullable(Timestamp('When the address was confirmed; null if it was not.')),
    has_password: Type.Boolean({
      description: 'Whether a password was chosen; one who was invited has none at first.',
      examples: [true],
    }),
  },
  {
    $id: 'AdministeredUser',
    additionalProperties: false,
    description: 'An account, as the admins of the service see it.',
  },
)
export type AdministeredUser = Static<typeof AdministeredUser>

/** Query of searchUsers. */
export const SearchUsersQuery = Type.Object(
  {
    ...pageParameters,
    role: ListUsersQuery.properties.role,
    is_active: ListUsersQuery.properties.is_active,
    q: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 254,
        description:
          'Only users whose address or name has this in it, in any case; fewer than three characters are looked for at ' +
          'the beginning. The whole `id` finds the user too.',
        examples: ['lovelace'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type SearchUsersQuery = Static<typeof SearchUsersQuery>

export const AdministeredUserPage = Page(ref(AdministeredUser), 'AdministeredUserPage')
export type AdministeredUserPage = Static<typeof AdministeredUserPage>

/** Body of updateAdministeredUser. */
export const UpdateAdministeredUser = Type.Object(
  {
    role: UpdateUser.properties.role,
    is_active: UpdateUser.properties.is_active,
    reason: Reason,
  },
  {
    $id: 'UpdateAdministeredUser',
    additionalProperties: false,
    minProperties: 2,
    description: 'What may be done, and why; at least one change.',
    examples: [{ is_active: false, reason: 'Ticket 4711' }],
  },
)
export type UpdateAdministeredUser = Static<typeof UpdateAdministeredUser>

/** Body of endAdministeredUserSessions. */
export const EndSessions = Type.Object(
  {
    session_id: Type.Optional(
      Uuid('The session to end; all when it is left out, but the one of this request.', {
        'x-normalize': 'lowercase',
      }),
    ),
    reason: Reason,
  },
  { $id: 'EndSessions', additionalProperties: false, description: 'Sessions to end, and why.' },
)
export type EndSessions = Static<typeof EndSessions>

/** Answer of endAdministeredUserSessions. */
export const EndedSessions = Type.Object(
  { ended: Type.Integer({ minimum: 0, description: 'Sessions that were open.', examples: [2] }) },
  { $id: 'EndedSessions', additionalProperties: false, description: 'How many sessions were ended.' },
)
export type EndedSessions = Static<typeof EndedSessions>

/** Answer of sendUserPasswordReset. */
export const SentMail = Type.Object(
  { mail_id: Uuid('The mail; `getMail` tells what becomes of it.') },
  { $id: 'SentMail', additionalProperties: false, description: 'A mail that is on its way.' },
)
export type SentMail = Static<typeof SentMail>
