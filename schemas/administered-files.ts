import { type Static, Type } from '@sinclair/typebox'
import { Reason } from './operations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

const owner = {
  organization_id: Nullable(Uuid('The organization that it belongs to; null for a file of a user.')),
  user_id: Nullable(Uuid('The user whom it belongs to; null for a file of an organization.')),
}

/** A file in quarantine, as the service's admins see it. */
export const QuarantinedFile = Type.Object(
  {
    id: Uuid('Identifier of the file (UUIDv7).'),
    ...owner,
    name: Type.String({ description: 'Name of the file.', examples: ['invoice.pdf.exe'] }),
    media_type: Type.String({
      description: 'Type of the content, as its bytes say it.',
      examples: ['application/x-msdownload'],
    }),
    size: Type.Integer({ minimum: 0, description: 'Bytes of the content.', examples: [52_431] }),
    sha256: Type.String({
      description: 'SHA-256 digest of the content, hexadecimal.',
      examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    }),
    reason: StringEnum(['infected', 'held'], {
      description: '`infected`: the scanner found something. `held`: it could not look.',
      examples: ['infected'],
    }),
    finding: Type.String({
      description: 'Name of what was found; or why nobody looked: `too_large` or `scanner_failed`.',
      examples: ['Win.Test.EICAR_HDB-1'],
    }),
    created_by: Nullable(
      Uuid('The user who created it; null for an API key, and for an account that is deleted.'),
    ),
    scanned_at: Timestamp('When that was found.'),
    deleted_at: Nullable(Timestamp('When the file was put into the trash; null if it is not there.')),
  },
  {
    $id: 'QuarantinedFile',
    additionalProperties: false,
    description: 'A file whose content nobody can read, because of what the malware scanner said.',
  },
)
export type QuarantinedFile = Static<typeof QuarantinedFile>

/** Query of listQuarantinedFiles. */
export const ListQuarantinedFilesQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListQuarantinedFilesQuery = Static<typeof ListQuarantinedFilesQuery>

export const QuarantinedFilePage = Page(ref(QuarantinedFile), 'QuarantinedFilePage')
export type QuarantinedFilePage = Static<typeof QuarantinedFilePage>

/** Path parameters of a file in quarantine. */
export const QuarantinedFileParams = Type.Object(
  { id: Uuid('Identifier of the file.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** The space of a user or organization, as the service's admins see it. */
export const StorageLimit = Type.Object(
  {
    id: Uuid('Identifier of the user or organization.'),
    kind: StringEnum(['user', 'organization'], {
      description: 'Which of them it is.',
      examples: ['organization'],
    }),
    bytes: Type.Integer({
      minimum: 0,
      description: 'Bytes that all files have, those in the trash and those that are being written included.',
      examples: [52_431],
    }),
    max_bytes: Type.Integer({
      minimum: 0,
      description: 'Bytes that they may have.',
      examples: [53_687_091_200],
    }),
    is_default: Type.Boolean({
      description: "Whether that is the service's own limit, and no admin has said otherwise.",
      examples: [true],
    }),
  },
  {
    $id: 'StorageLimit',
    additionalProperties: false,
    description: 'Space that the files of a user or organization take, and may take.',
  },
)
export type StorageLimit = Static<typeof StorageLimit>

/** Path parameters of the space of a user or organization. */
export const StorageLimitParams = Type.Object(
  { id: Uuid('Identifier of the user or organization.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Body of updateStorageLimit. */
export const UpdateStorageLimit = Type.Object(
  {
    max_bytes: Nullable(
      Type.Integer({
        minimum: 0,
        // A petabyte.
        maximum: 1_125_899_906_842_624,
        description:
          "Bytes that the files may have; null for the service's own limit. Less than there are refuses more, and deletes nothing.",
        examples: [107_374_182_400],
      }),
    ),
    reason: Reason,
  },
  {
    $id: 'UpdateStorageLimit',
    additionalProperties: false,
    description: 'How much space the files of a user or organization may take, and why.',
  },
)
export type UpdateStorageLimit = Static<typeof UpdateStorageLimit>
