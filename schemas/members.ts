import { type Static, Type } from '@sinclair/typebox'
import { MemberRole, organizationParameter } from './organizations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

/** A member as the other members see it. */
export const Member = Type.Object(
  {
    user_id: Uuid('Identifier of the user.'),
    email: Type.String({ description: 'Email address.', examples: ['ada@example.com'] }),
    username: Type.String({ description: 'Public name.', examples: ['ada'] }),
    role: MemberRole,
    created_at: Timestamp('When the user became a member.'),
    updated_at: Timestamp('When the membership was last changed; it grows with every change.'),
  },
  { $id: 'Member', additionalProperties: false, description: 'A member of an organization.' },
)
export type Member = Static<typeof Member>

/** Body of updateMember. */
export const UpdateMember = Type.Object(
  { role: MemberRole },
  { $id: 'UpdateMember', additionalProperties: false, description: 'The new role of a member.' },
)

/** Body of transferOwnership. */
export const TransferOwnership = Type.Object(
  {
    user_id: Uuid('Identifier of the member who becomes owner.', {
      'x-normalize': 'lowercase',
      maxLength: 36,
    }),
  },
  { $id: 'TransferOwnership', additionalProperties: false, description: 'The next owner.' },
)

/** Path parameters of one member. */
export const MemberParams = Type.Object(
  { ...organizationParameter, user_id: Uuid('Identifier of the user.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listMembers. */
export const ListMembersQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListMembersQuery = Static<typeof ListMembersQuery>

export const MemberPage = Page(ref(Member), 'MemberPage')
export type MemberPage = Static<typeof MemberPage>
