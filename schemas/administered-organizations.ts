import { type Static, Type } from '@sinclair/typebox'
import { Reason } from './operations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

const Moment = (description: string) =>
  Nullable(Type.String({ format: 'date-time', description, examples: ['2026-01-31T08:15:30.123Z'] }))

/** An organization as the service's admins see it. */
export const AdministeredOrganization = Type.Object(
  {
    id: Uuid('Identifier of the organization (UUIDv7).'),
    name: Type.String({ description: 'Name of the organization.', examples: ['Analytical Engines'] }),
    slug: Nullable(Type.String({ description: 'Name for URLs, or null.', examples: ['analytical-engines'] })),
    usage: Type.Array(
      Type.Object(
        {
          table: Type.String({ description: 'Name of the table.', examples: ['projects'] }),
          rows: Type.Integer({
            description:
              'Rows of the organization; a list counts to 1 000, and the operation for one to 100 000.',
            examples: [12],
          }),
          is_capped: Type.Boolean({
            description: 'Whether there are more rows than were counted.',
            examples: [false],
          }),
        },
        { additionalProperties: false, description: 'Rows in one table.' },
      ),
      { description: 'How much the organization has, by table: `memberships` are its members.' },
    ),
    has_owner: Type.Boolean({
      description: 'Whether one of its owners can sign in.',
      examples: [true],
    }),
    created_at: Timestamp('When the organization was created.'),
    updated_at: Timestamp('When the organization was last changed.'),
    deleted_at: Moment('When it was deleted, if its rows are still there; null otherwise.'),
    suspended_at: Moment('Since when it is suspended; null if it is not.'),
    purge_requested_at: Moment(
      'When an admin had it deleted for good, which the next run of `purge_organizations` does; null otherwise.',
    ),
  },
  {
    $id: 'AdministeredOrganization',
    additionalProperties: false,
    description: 'An organization, how much it has, and whether it is open to its members.',
  },
)
export type AdministeredOrganization = Static<typeof AdministeredOrganization>

/** Body of appointOrganizationOwner. */
export const AppointOwner = Type.Object(
  { user_id: Uuid('The member who is to be an owner.', { 'x-normalize': 'lowercase' }), reason: Reason },
  {
    $id: 'AppointOwner',
    additionalProperties: false,
    description: 'Who is to be an owner, and why.',
  },
)
export type AppointOwner = Static<typeof AppointOwner>

/** Path parameters of one organization, for admins. */
export const AdministeredOrganizationParams = Type.Object(
  { id: Uuid('Identifier of the organization.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listAdministeredOrganizations. */
export const ListAdministeredOrganizationsQuery = Type.Object(
  {
    ...pageParameters,
    q: Type.Optional(
      Type.String({
        'x-normalize': 'NFC',
        minLength: 1,
        maxLength: 100,
        description:
          'Only organizations whose name or slug has this in it, in any case. The whole `id` finds the organization too.',
        examples: ['analytical'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ListAdministeredOrganizationsQuery = Static<typeof ListAdministeredOrganizationsQuery>

export const AdministeredOrganizationPage = Page(
  ref(AdministeredOrganization),
  'AdministeredOrganizationPage',
)
export type AdministeredOrganizationPage = Static<typeof AdministeredOrganizationPage>
