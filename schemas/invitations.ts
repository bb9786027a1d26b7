import { type Static, Type } from '@sinclair/typebox'
import { MailedToken } from './one-time-tokens.ts'
import { MemberRole, organizationParameter } from './organizations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Password } from './passwords.ts'
import { StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'
import { Email, Username } from './users.ts'

const Address = Type.String({ description: 'Whom it is for.', examples: ['grace@example.com'] })
const ExpiresAt = Timestamp('Until when it can be accepted.')

/** An invitation as an organization's admins see it. */
export const Invitation = Type.Object(
  {
    id: Uuid('Identifier of the invitation (UUIDv7).'),
    email: Address,
    role: MemberRole,
    invited_by: Uuid('The member who sent it last; it ends with their membership.'),
    created_at: Timestamp('When it was created.'),
    updated_at: Timestamp('When it was last sent.'),
    expires_at: ExpiresAt,
  },
  { $id: 'Invitation', additionalProperties: false, description: 'An invitation into an organization.' },
)
export type Invitation = Static<typeof Invitation>

/** Body of createInvitation. */
export const CreateInvitation = Type.Object(
  { email: Email, role: MemberRole },
  { $id: 'CreateInvitation', additionalProperties: false, description: 'Whom to invite, and as what.' },
)
export type CreateInvitation = Static<typeof CreateInvitation>

/** Path parameters of one invitation. */
export const InvitationParams = Type.Object(
  { ...organizationParameter, id: Uuid('Identifier of the invitation.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listInvitations and listCurrentUserInvitations. */
export const ListInvitationsQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListInvitationsQuery = Static<typeof ListInvitationsQuery>

export const InvitationPage = Page(ref(Invitation), 'InvitationPage')
export type InvitationPage = Static<typeof InvitationPage>

/** The organization of an invitation, as one sees it who is not a member yet. */
const invitingOrganization = {
  organization_id: Uuid('Identifier of the organization.'),
  organization_name: Type.String({
    description: 'Name of the organization, as its members chose it.',
    examples: ['Analytical Engines'],
  }),
  role: MemberRole,
}

/** An invitation as the one sees it whom it is for. */
export const ReceivedInvitation = Type.Object(
  {
    id: Uuid('Identifier of the invitation (UUIDv7).'),
    ...invitingOrganization,
    token: Type.String({
      description: 'The token of the link in the mail: `acceptInvitation` and `declineInvitation` take it.',
      examples: ['uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1'],
    }),
    expires_at: ExpiresAt,
  },
  { $id: 'ReceivedInvitation', additionalProperties: false, description: 'An invitation to you.' },
)
export type ReceivedInvitation = Static<typeof ReceivedInvitation>

export const ReceivedInvitationPage = Page(ref(ReceivedInvitation), 'ReceivedInvitationPage')
export type ReceivedInvitationPage = Static<typeof ReceivedInvitationPage>

/** Body of inspectInvitation and declineInvitation. */
export const InvitationToken = Type.Object(
  { token: MailedToken },
  { $id: 'InvitationToken', additionalProperties: false, description: 'The invitation that is meant.' },
)

/** Answer of inspectInvitation. */
export const InspectedInvitation = Type.Object(
  {
    ...invitingOrganization,
    email: Address,
    needs: StringEnum(['nothing', 'password', 'account'], {
      description:
        'What accepting it needs besides the token: `nothing`, if an account has this address and has confirmed it; a ' +
        'new `password`, if it has not; for a new `account` a user name and a password.',
      examples: ['account'],
    }),
    expires_at: ExpiresAt,
  },
  {
    $id: 'InspectedInvitation',
    additionalProperties: false,
    description: 'An invitation, to the one who has its token.',
  },
)
export type InspectedInvitation = Static<typeof InspectedInvitation>

/** Body of acceptInvitation. */
export const AcceptInvitation = Type.Object(
  { token: MailedToken, username: Type.Optional(Username), password: Type.Optional(Password) },
  {
    $id: 'AcceptInvitation',
    additionalProperties: false,
    description:
      'The invitation, and what `inspectInvitation` says that it needs. An account that has confirmed the address keeps ' +
      'its name and its password, whatever is sent.',
    examples: [{ token: 'uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1' }],
  },
)
export type AcceptInvitation = Static<typeof AcceptInvitation>

/** Answer of acceptInvitation. */
export const AcceptedInvitation = Type.Object(
  { ...invitingOrganization, user_id: Uuid('The account that is a member now.') },
  { $id: 'AcceptedInvitation', additionalProperties: false, description: 'A membership that has begun.' },
)
export type AcceptedInvitation = Static<typeof AcceptedInvitation>
