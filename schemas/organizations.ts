import { type Static, Type } from '@sinclair/typebox'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

/** A member's rights in an organization. Each role may do what those after it may. */
export const MemberRole = StringEnum(['owner', 'admin', 'member'], {
  description:
    'What the member may do: a `member` works with what the organization has, an `admin` also manages members, an ' +
    '`owner` also admins, owners and the organization itself.',
  examples: ['member'],
})
export type MemberRole = Static<typeof MemberRole>

const Name = Type.String({
  'x-normalize': 'line',
  'x-format': 'one-line',
  minLength: 1,
  maxLength: 100,
  description: 'Name of the organization.',
  examples: ['Analytical Engines'],
})

const Slug = Type.String({
  minLength: 3,
  maxLength: 63,
  pattern: '^[a-z0-9][a-z0-9-]*[a-z0-9]$',
  'x-message': 'must be lower-case letters, digits or `-`, and begin and end with a letter or digit',
  description: 'Name for URLs; unique among all organizations.',
  examples: ['analytical-engines'],
})

/** An organization as its members see it. */
export const Organization = Type.Object(
  {
    id: Uuid('Identifier of the organization (UUIDv7).'),
    name: Type.String({ description: 'Name of the organization.', examples: ['Analytical Engines'] }),
    slug: Nullable(Type.String({ description: 'Name for URLs, or null.', examples: ['analytical-engines'] })),
    role: MemberRole,
    created_at: Timestamp('When the organization was created.'),
    updated_at: Timestamp('When the organization was last changed; it grows with every change.'),
    deleted_at: Nullable(
      Type.String({
        format: 'date-time',
        description: 'When it was deleted, if an owner can still restore it; null otherwise.',
        examples: ['2026-01-31T08:15:30.123Z'],
      }),
    ),
    suspended_at: Nullable(
      Type.String({
        format: 'date-time',
        description:
          'Since when the operator of the service keeps it closed: nothing of it is available; null otherwise.',
        examples: ['2026-01-31T08:15:30.123Z'],
      }),
    ),
  },
  {
    $id: 'Organization',
    additionalProperties: false,
    description: 'An organization, with your own role in it.',
  },
)
export type Organization = Static<typeof Organization>

/** Body of createOrganization. */
export const CreateOrganization = Type.Object(
  { name: Name, slug: Type.Optional(Slug) },
  { $id: 'CreateOrganization', additionalProperties: false, description: 'A new organization.' },
)
export type CreateOrganization = Static<typeof CreateOrganization>

/** Body of updateOrganization. */
export const UpdateOrganization = Type.Object(
  { name: Type.Optional(Name), slug: Type.Optional(Nullable(Slug)) },
  {
    $id: 'UpdateOrganization',
    additionalProperties: false,
    minProperties: 1,
    description: 'Changes to an organization; at least one. A `slug` of null takes it away.',
    examples: [{ name: 'Difference Engines' }],
  },
)
export type UpdateOrganization = Static<typeof UpdateOrganization>

/** The path parameter of everything below an organization. */
export const organizationParameter = {
  organization_id: Uuid('Identifier of the organization.', { 'x-normalize': 'lowercase' }),
}

/** Path parameters of one organization. */
export const OrganizationParams = Type.Object(organizationParameter, { additionalProperties: false })

/** Query of listOrganizations. */
export const ListOrganizationsQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListOrganizationsQuery = Static<typeof ListOrganizationsQuery>

export const OrganizationPage = Page(ref(Organization), 'OrganizationPage')
export type OrganizationPage = Static<typeof OrganizationPage>
