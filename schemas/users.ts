import { type Static, Type } from '@sinclair/typebox'
import { Page, pageParameters } from './pagination.ts'
import { CurrentPassword, Password } from './passwords.ts'
import { StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

/** A user's rights: an `admin` manages all users, a `user` only itself. */
export const Role = StringEnum(['user', 'admin'], {
  description: 'What the user may do: an `admin` manages all users.',
  examples: ['user'],
})
export type Role = Static<typeof Role>

/** The published form of addresses: what generated clients can check. `x-address` knows the rest. */
const ADDRESS = { minLength: 3, maxLength: 254, pattern: '^[^@]+@[^@]+$', 'x-normalize': 'email' }

/**
 * An address that mail is to be sent to: one plain mailbox (RFC 5321) with a dot-atom of ASCII before the @ and a
 * domain, no display name, no quotes, no IP address. International domains are kept in their ASCII form.
 */
export const Email = Type.String({
  ...ADDRESS,
  'x-address': 'deliverable',
  'x-message': 'must be one plain email address',
  description:
    'Email address; compared without regard to case. Letters, digits and signs of ASCII before the @; an ' +
    'international domain is kept in its ASCII form (`xn--`).',
  examples: ['ada@example.com'],
})

/** An address that an account may have already: before the @ it may hold letters of every script. */
export const KnownEmail = Type.String({
  ...ADDRESS,
  'x-address': 'known',
  'x-message': 'must be one plain email address',
  description: 'Email address of the account; compared without regard to case.',
  examples: ['ada@example.com'],
})

export const Username = Type.String({
  minLength: 3,
  maxLength: 50,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]$',
  'x-message': 'must be letters, digits, `.`, `_` or `-`, and begin and end with a letter or digit',
  description: 'Public name; ASCII letters, digits, `.`, `_`, `-`; compared without regard to case.',
  examples: ['ada'],
})

const IsActive = Type.Boolean({
  description: 'Whether the user can sign in and use the API.',
  examples: [true],
})

/** A user as the API shows it; there is no field for the password's hash. */
export const User = Type.Object(
  {
    id: Uuid('Identifier of the user (UUIDv7).'),
    email: Type.String({ description: 'Email address.', examples: ['ada@example.com'] }),
    username: Type.String({ description: 'Public name.', examples: ['ada'] }),
    role: Role,
    is_active: IsActive,
    created_at: Timestamp('When the user was created.'),
    updated_at: Timestamp('When the user was last changed; it grows with every change.'),
  },
  { $id: 'User', additionalProperties: false, description: 'A user account.' },
)
export type User = Static<typeof User>

/** Body of createUser. */
export const CreateUser = Type.Object(
  { email: Email, username: Username, password: Password },
  { $id: 'CreateUser', additionalProperties: false, description: 'A new user account.' },
)
export type CreateUser = Static<typeof CreateUser>

/** Body of inviteUser. */
export const InviteUser = Type.Object(
  { email: Email, username: Username, role: Type.Optional(Role) },
  {
    $id: 'InviteUser',
    additionalProperties: false,
    description: 'An account for somebody else.',
    examples: [{ email: 'grace@example.com', username: 'grace', role: 'user' }],
  },
)
export type InviteUser = Static<typeof InviteUser>

/** Body of updateCurrentUser: what users may change of themselves. */
export const UpdateCurrentUser = Type.Object(
  {
    email: Type.Optional(Email),
    username: Type.Optional(Username),
    current_password: Type.Optional(CurrentPassword),
  },
  {
    $id: 'UpdateCurrentUser',
    additionalProperties: false,
    minProperties: 1,
    description: 'Changes to your own account; at least one.',
    examples: [{ username: 'ada.lovelace' }],
  },
)

/** Body of updateUser: `role` and `is_active` are for admins. */
export const UpdateUser = Type.Object(
  {
    email: Type.Optional(Email),
    username: Type.Optional(Username),
    role: Type.Optional(Role),
    is_active: Type.Optional(IsActive),
    current_password: Type.Optional(CurrentPassword),
  },
  {
    $id: 'UpdateUser',
    additionalProperties: false,
    minProperties: 1,
    description: 'Changes to an account; at least one. `role` and `is_active` are for admins.',
    examples: [{ username: 'ada.lovelace', role: 'user', is_active: true }],
  },
)
/** The properties of an account that can be changed. */
export type UserChanges = Omit<Static<typeof UpdateUser>, 'current_password'>

/** Path parameters of one user. */
export const UserParams = Type.Object(
  // In the one spelling that ids are compared in.
  { id: Uuid('Identifier of the user.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listUsers. */
export const ListUsersQuery = Type.Object(
  {
    ...pageParameters,
    role: Type.Optional(Role),
    is_active: Type.Optional(IsActive),
    q: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 254,
        'x-normalize': 'email',
        description: 'Only users whose email or username begins with this, without regard to case.',
        examples: ['ada'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ListUsersQuery = Static<typeof ListUsersQuery>

export const UserPage = Page(ref(User), 'UserPage')
export type UserPage = Static<typeof UserPage>
