import { type Static, Type } from '@sinclair/typebox'
import { organizationParameter } from './organizations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

/**
 * Permissions that a key can have. Those that are not here are for people only: members, owners, keys themselves, and
 * the organization's end.
 */
export const API_KEY_SCOPES = [
  'members:read',
  'files:read',
  'files:write',
  'files:delete',
  'files:share',
  'projects:read',
  'projects:write',
  'projects:delete',
] as const

export const ApiKeyScope = StringEnum(API_KEY_SCOPES, {
  $id: 'ApiKeyScope',
  description: 'A permission that operations ask for (`x-permission`).',
  examples: ['projects:read'],
})
export type ApiKeyScope = Static<typeof ApiKeyScope>

const Name = Type.String({
  'x-normalize': 'line',
  'x-format': 'one-line',
  minLength: 1,
  maxLength: 100,
  description: 'Name of the key, for people.',
  examples: ['Nightly export'],
})

const Scopes = Type.Array(ref(ApiKeyScope), {
  minItems: 1,
  maxItems: API_KEY_SCOPES.length,
  uniqueItems: true,
  description: 'What the key may do.',
})

const Network = Type.String({
  'x-format': 'cidr',
  maxLength: 43,
  description: 'A network as an address and the number of its bits.',
  examples: ['192.0.2.0/24'],
})

const AllowedNetworks = Type.Array(Network, {
  maxItems: 20,
  description: 'Networks that the key may be used from; empty for all.',
})

const keyProperties = {
  id: Uuid('Identifier of the key (UUIDv7).'),
  organization_id: Uuid('Organization that the key belongs to.'),
  name: Type.String({ description: 'Name of the key, for people.', examples: ['Nightly export'] }),
  hint: Type.String({ description: 'The last four characters of the key.', examples: ['5f2a'] }),
  scopes: Type.Array(ref(ApiKeyScope), { description: 'What the key may do.' }),
  allowed_networks: Type.Array(Type.String({ description: 'A network.', examples: ['192.0.2.0/24'] }), {
    description: 'Networks that the key may be used from; empty for all.',
  }),
  status: StringEnum(['active', 'disabled', 'expired', 'revoked'], {
    description: 'Only an `active` key is accepted. A `disabled` one can be enabled again.',
    examples: ['active'],
  }),
  created_by: Nullable(Uuid('The user who created it; null when the account is deleted.')),
  created_at: Timestamp('When the key was created.'),
  updated_at: Timestamp('When the key was last changed; it grows with every change, and not with use.'),
  expires_at: Timestamp('From when on the key is not accepted.'),
  last_used_at: Nullable(
    Timestamp('When the key was last used, a minute late at most; null if it never was.'),
  ),
  last_used_ip: Nullable(
    Type.String({ description: 'Address that it was used from then.', examples: ['192.0.2.7'] }),
  ),
  replaced_by: Nullable(Uuid('The key that a rotation put in its place, or null.')),
}

/** A key as members see it: without its secret. */
export const ApiKey = Type.Object(keyProperties, {
  $id: 'ApiKey',
  additionalProperties: false,
  description: 'A key with which a program works in an organization.',
})
export type ApiKey = Static<typeof ApiKey>

/** A new key, with its secret. */
export const NewApiKey = Type.Object(
  {
    ...keyProperties,
    key: Type.String({
      description: 'The key itself, for `Authorization: Bearer`. It is shown here and never again.',
      examples: [
        'gwk_01997d1c7b6e7c3a9d532f6a4c1e8b9001997d1c7b6e7c3a9d532f6a4c1e8b91' +
          '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0b6ab4ad',
      ],
    }),
  },
  {
    $id: 'NewApiKey',
    additionalProperties: false,
    description: 'A new key. Keep `key`: it is not shown again.',
  },
)
export type NewApiKey = Static<typeof NewApiKey>

/** Body of createApiKey. */
export const CreateApiKey = Type.Object(
  {
    name: Name,
    scopes: Scopes,
    allowed_networks: Type.Optional(AllowedNetworks),
    expires_in_days: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 366,
        description: 'Days until the key expires; 90 unless it says otherwise.',
        examples: [90],
      }),
    ),
  },
  { $id: 'CreateApiKey', additionalProperties: false, description: 'A new key.' },
)
export type CreateApiKey = Static<typeof CreateApiKey>

/** Body of updateApiKey. */
export const UpdateApiKey = Type.Object(
  {
    name: Type.Optional(Name),
    scopes: Type.Optional(Scopes),
    allowed_networks: Type.Optional(AllowedNetworks),
    is_disabled: Type.Optional(
      Type.Boolean({
        description: 'Whether the key is refused until it is enabled again.',
        examples: [true],
      }),
    ),
  },
  {
    $id: 'UpdateApiKey',
    additionalProperties: false,
    minProperties: 1,
    description: 'Changes to a key; at least one.',
    examples: [{ is_disabled: true }],
  },
)
export type UpdateApiKey = Static<typeof UpdateApiKey>

/** Body of rotateApiKey. */
export const RotateApiKey = Type.Object(
  {
    grace: Type.Integer({
      minimum: 0,
      maximum: 604_800,
      description:
        'Seconds for which the old key is still accepted: up to 7 days, and 0 for a key that leaked.',
      examples: [86_400],
    }),
  },
  { $id: 'RotateApiKey', additionalProperties: false, description: 'How a key is replaced.' },
)
export type RotateApiKey = Static<typeof RotateApiKey>

/** Path parameters of one key. */
export const ApiKeyParams = Type.Object(
  { ...organizationParameter, id: Uuid('Identifier of the key.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listApiKeys. */
export const ListApiKeysQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListApiKeysQuery = Static<typeof ListApiKeysQuery>

export const ApiKeyPage = Page(ref(ApiKey), 'ApiKeyPage')
export type ApiKeyPage = Static<typeof ApiKeyPage>
