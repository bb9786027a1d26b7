import { type Static, Type } from '@sinclair/typebox'
import { organizationParameter } from './organizations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

/** The answer of an export: each line is an `AuditEntry` as JSON. */
export const AuditEntryLines = {
  description: 'The entries, one a line.',
  content: {
    'application/x-ndjson': {
      schema: Type.Unsafe<AsyncIterable<string>>(
        Type.String({ description: 'An entry as JSON in each line.' }),
      ),
    },
  },
}

const Hash = (description: string) =>
  Type.String({ description, examples: ['Xh0xmO8dzDq5VYf0lKkVhTqk3P5pB1yT0mYI5q2v3bQ='] })

const entryProperties = {
  id: Uuid('Identifier of the entry (UUIDv7); that of the event too, if one was emitted.'),
  at: Timestamp('When it was done.'),
  actor_kind: StringEnum(['user', 'admin', 'api_key', 'anonymous', 'system'], {
    description:
      'Who acted: a person, an admin of the service, a program with an API key, somebody who has not signed in, or the ' +
      'service itself.',
    examples: ['user'],
  }),
  actor_id: Nullable(
    Type.String({
      description: 'Identifier of the account or the API key; null for nobody and for the service itself.',
      examples: ['01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'],
    }),
  ),
  action: Type.String({ description: "What was done: an event's type.", examples: ['projects.created'] }),
  target_type: Type.String({ description: 'What it was done to.', examples: ['project'] }),
  target_id: Nullable(
    Type.String({
      description: 'Identifier of what it was done to, if it has one.',
      examples: ['01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b91'],
    }),
  ),
  outcome: StringEnum(['succeeded', 'denied'], {
    description: '`denied` if it was refused for lack of rights.',
    examples: ['succeeded'],
  }),
  request_id: Nullable(Type.String({ description: 'Identifier of the request.', examples: ['req-1'] })),
  details: Type.String({
    description: 'More about it as JSON, exactly as it was written. It has no personal data.',
    examples: ['{"changed":["name"]}'],
  }),
  ip: Nullable(
    Type.String({ description: 'Address of the client; null if it was erased.', examples: ['192.0.2.7'] }),
  ),
  user_agent: Nullable(
    Type.String({ description: 'User agent of the client, if it named one.', examples: ['curl/8.5.0'] }),
  ),
  seq: Nullable(
    Type.Integer({
      minimum: 1,
      description: 'Place in the chain; null until it is sealed, some seconds later.',
      examples: [42],
    }),
  ),
}

/** An entry of the audit log. */
export const AuditEntry = Type.Object(entryProperties, {
  $id: 'AuditEntry',
  additionalProperties: false,
  description: 'Who did what, when and from where.',
})
export type AuditEntry = Static<typeof AuditEntry>

/** An entry as admins of the service see it, of whichever log it is. */
export const PlatformAuditEntry = Type.Object(
  {
    ...entryProperties,
    organization_id: Nullable(Uuid("The organization whose log it is in; null for the service's own log.")),
  },
  {
    $id: 'PlatformAuditEntry',
    additionalProperties: false,
    description: 'Who did what, when and from where, and whose log has it.',
  },
)
export type PlatformAuditEntry = Static<typeof PlatformAuditEntry>

/** The checkpoint that covers an entry, and the way to its root. */
const ProvingCheckpoint = Type.Object(
  {
    number: Type.Integer({ minimum: 1, description: 'Number of the checkpoint.', examples: [7] }),
    note: Type.String({
      description: 'The signed note (C2SP signed-note), with the size and the root of the tree.',
      examples: ['groundwork/audit\n1\n...'],
    }),
    seq: Type.Integer({
      minimum: 1,
      description: "Place of the chain's head under the checkpoint.",
      examples: [44],
    }),
    leaf_index: Type.Integer({
      minimum: 0,
      description: 'Place of the head among the leaves.',
      examples: [0],
    }),
    path: Type.Array(Hash('A sibling.'), {
      description: 'Siblings from the leaf up to the root (RFC 9162), in base64.',
      examples: [[]],
    }),
  },
  { additionalProperties: false, description: 'A checkpoint over the entry.' },
)

/** Proof that an entry is in the log. */
export const AuditProof = Type.Object(
  {
    entry: ref(AuditEntry),
    commitment: Hash('Commitment to the personal data, in base64.'),
    mac: Type.String({
      description: "The service's mark on the entry, in base64.",
      examples: ['AAECAwQFBgc='],
    }),
    salt: Nullable(
      Type.String({
        description: 'Salt of the commitment, in base64; null if the personal data were erased.',
        examples: ['AAECAwQFBgcICQoLDA0ODw=='],
      }),
    ),
    previous: Nullable(Hash('Hash of the seal before, in base64; null until the entry is sealed.')),
    hash: Nullable(Hash("Hash of the entry's seal, in base64; null until the entry is sealed.")),
    following: Type.Array(Hash('A digest.'), {
      description: "Digests of the entries after it, up to the checkpoint's head, in base64.",
      examples: [[]],
    }),
    checkpoint: Type.Unsafe<Static<typeof ProvingCheckpoint> | null>({
      ...ProvingCheckpoint,
      type: ['object', 'null'],
      description: 'The first checkpoint over the entry; null until there is one, a minute later.',
      examples: [null],
    }),
  },
  {
    $id: 'AuditProof',
    additionalProperties: false,
    description: 'An entry, and what proves that it is in the log (docs/audit-log.md).',
  },
)
export type AuditProof = Static<typeof AuditProof>

/** The end of an organization's chain. */
export const AuditHead = Type.Object(
  {
    seq: Type.Integer({ minimum: 0, description: 'Number of sealed entries.', examples: [44] }),
    hash: Nullable(Hash('Hash of the last seal, in base64; null before the first.')),
    checkpoint: Nullable(
      Type.String({
        description: 'The last signed note over the chain; null before the first.',
        examples: ['groundwork/audit\n1\n...'],
      }),
    ),
  },
  { $id: 'AuditHead', additionalProperties: false, description: "The end of an organization's chain." },
)
export type AuditHead = Static<typeof AuditHead>

const filters = {
  actor_id: Type.Optional(
    Type.String({
      'x-normalize': 'lowercase',
      minLength: 1,
      maxLength: 100,
      description: 'Only what this account or API key did.',
      examples: ['01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'],
    }),
  ),
  action: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: '^[a-z][a-z_]*[.][A-Za-z][A-Za-z0-9_]*$',
      'x-message': 'must be a whole action such as projects.created',
      description: 'Only this action.',
      examples: ['projects.created'],
    }),
  ),
  target_id: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'Only what was done to this.',
      examples: ['01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b91'],
    }),
  ),
  since: Type.Optional(Timestamp('Only what was done at this time or later.')),
  until: Type.Optional(Timestamp('Only what was done before this time.')),
}

/** Query of listAuditEntries: one of actor, action and target, and times. */
export const ListAuditEntriesQuery = Type.Object(
  { ...pageParameters, ...filters },
  { additionalProperties: false },
)
export type ListAuditEntriesQuery = Static<typeof ListAuditEntriesQuery>

/** Query of exportAuditEntries. */
export const ExportAuditEntriesQuery = Type.Object(filters, { additionalProperties: false })
export type ExportAuditEntriesQuery = Static<typeof ExportAuditEntriesQuery>

/** Whose entries an admin of the service asks for. */
const ofOrganization = {
  organization_id: Type.Optional(
    Uuid("An organization, for its entries; without it, those of the service's own.", {
      'x-normalize': 'lowercase',
    }),
  ),
}

/** Query of listPlatformAuditEntries. */
export const ListPlatformAuditEntriesQuery = Type.Object(
  {
    ...pageParameters,
    ...filters,
    ...ofOrganization,
    admin_id: Type.Optional(
      Uuid(
        'An admin of the service, to list what they did as one, in the logs of the service and of all organizations. ' +
          'It goes together with times only.',
        { 'x-normalize': 'lowercase' },
      ),
    ),
  },
  { additionalProperties: false },
)
export type ListPlatformAuditEntriesQuery = Static<typeof ListPlatformAuditEntriesQuery>

/** Query of exportPlatformAuditEntries. */
export const ExportPlatformAuditEntriesQuery = Type.Object(
  { ...filters, ...ofOrganization },
  { additionalProperties: false },
)
export type ExportPlatformAuditEntriesQuery = Static<typeof ExportPlatformAuditEntriesQuery>

/** Query of getPlatformAuditEntry. */
export const PlatformAuditEntryQuery = Type.Object(ofOrganization, { additionalProperties: false })
export type PlatformAuditEntryQuery = Static<typeof PlatformAuditEntryQuery>

const entryParameter = { id: Uuid('Identifier of the entry.', { 'x-normalize': 'lowercase' }) }

/** Path parameters of getPlatformAuditEntry. */
export const PlatformAuditEntryParams = Type.Object(entryParameter, { additionalProperties: false })

/** Path parameters of one entry. */
export const AuditEntryParams = Type.Object(
  { ...organizationParameter, ...entryParameter },
  { additionalProperties: false },
)

export const AuditEntryPage = Page(ref(AuditEntry), 'AuditEntryPage')
export type AuditEntryPage = Static<typeof AuditEntryPage>

export const PlatformAuditEntryPage = Page(ref(PlatformAuditEntry), 'PlatformAuditEntryPage')
export type PlatformAuditEntryPage = Static<typeof PlatformAuditEntryPage>
