import { type Static, Type } from '@sinclair/typebox'
import { organizationParameter } from './organizations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

/** Longest name of a file, in characters. */
const MAX_NAME = 255

/**
 * Something that can be seen, no path and no folder's own name, nothing that could end a line, and nothing that makes
 * `gnp.exe` look like `exe.png`.
 */
const NAME =
  '^(?!\\.{1,2}$)(?=.*[^\\p{Z}\\p{C}\\p{Default_Ignorable_Code_Point}\\u2800])' +
  '[^/\\\\\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]+$'

/** Whether a text, in the form NFC, may be the name of a file. */
export function isFileName(text: string): boolean {
  return [...text].length <= MAX_NAME && new RegExp(NAME, 'u').test(text)
}

/** The name of a file, as clients give it. */
export const FileName = Type.String({
  'x-normalize': 'NFC',
  'x-sensitivity': 'personal',
  minLength: 1,
  maxLength: MAX_NAME,
  'x-pattern': NAME,
  'x-message':
    'must be visible, neither `.` nor `..`, and have no slashes, control characters or marks that change the direction of text',
  description: 'Name of the file, for people: no path, and no characters that control how text is shown.',
  examples: ['report.pdf'],
})

/** A file of a user or of an organization. */
export const File = Type.Object(
  {
    id: Uuid('Identifier of the file (UUIDv7).'),
    name: Type.String({ description: 'Name of the file.', examples: ['report.pdf'] }),
    purpose: StringEnum(['attachment', 'avatar'], {
      description: 'The use that the file was made for, which decides what it may hold.',
      examples: ['attachment'],
    }),
    status: StringEnum(['pending', 'scanning', 'ready', 'quarantined'], {
      description:
        '`pending` until the file has content, `scanning` until the malware scanner has seen it, `quarantined` if that found ' +
        'something or could not look. The content can be read while the file is `ready`.',
      examples: ['ready'],
    }),
    media_type: Nullable(
      Type.String({
        description: 'Type of the content, as its bytes say it; null until it is sent.',
        examples: ['application/pdf'],
      }),
    ),
    size: Nullable(
      Type.Integer({
        minimum: 0,
        description: 'Bytes of the content; null until it is sent.',
        examples: [52_431],
      }),
    ),
    sha256: Nullable(
      Type.String({
        description: 'SHA-256 digest of the content, hexadecimal; null until it is sent.',
        examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
      }),
    ),
    created_by: Nullable(
      Uuid('The user who created it; null for an API key, and for an account that is deleted.'),
    ),
    created_at: Timestamp('When the file was created.'),
    updated_at: Timestamp('When the file was last changed; it grows with every change.'),
    deleted_at: Nullable(Timestamp('When the file was put into the trash; null if it is not there.')),
  },
  { $id: 'StoredFile', additionalProperties: false, description: 'A file of a user or of an organization.' },
)
export type File = Static<typeof File>

/** Body of createFile. */
export const CreateFile = Type.Object(
  { name: FileName },
  {
    $id: 'CreateFile',
    additionalProperties: false,
    description: 'A new file, which gets its content afterwards.',
  },
)
export type CreateFile = Static<typeof CreateFile>

/** Query of createFileWithContent. */
export const CreateWholeFileQuery = Type.Object({ name: FileName }, { additionalProperties: false })

/** Body of updateFile. */
export const UpdateFile = Type.Object(
  { name: Type.Optional(FileName) },
  {
    $id: 'UpdateFile',
    additionalProperties: false,
    minProperties: 1,
    description: 'Changes to a file; at least one.',
    examples: [{ name: 'report-2026.pdf' }],
  },
)
export type UpdateFile = Static<typeof UpdateFile>

const idParameter = { id: Uuid('Identifier of the file.', { 'x-normalize': 'lowercase' }) }

/** Path parameters of one of one's own files. */
export const FileParams = Type.Object(idParameter, { additionalProperties: false })

/** Path parameters of one of an organization's files. */
export const OrganizationFileParams = Type.Object(
  { ...organizationParameter, ...idParameter },
  { additionalProperties: false },
)

/** Query of listFiles. */
export const ListFilesQuery = Type.Object(
  {
    ...pageParameters,
    deleted: Type.Boolean({
      default: false,
      description: 'Whether to list the files in the trash, in place of the others.',
      examples: [false],
    }),
  },
  { additionalProperties: false },
)
export type ListFilesQuery = Static<typeof ListFilesQuery>

/** Query of deleteFile. */
export const DeleteFileQuery = Type.Object(
  {
    permanently: Type.Boolean({
      default: false,
      description: 'Whether to delete the file for good, in place of putting it into the trash.',
      examples: [false],
    }),
  },
  { additionalProperties: false },
)

export const FilePage = Page(ref(File), 'FilePage')
export type FilePage = Static<typeof FilePage>

/** Space that files take. */
export const StorageUsage = Type.Object(
  {
    bytes: Type.Integer({
      minimum: 0,
      description: 'Bytes that all files have, those in the trash and those that are being written included.',
      examples: [52_431],
    }),
    max_bytes: Type.Integer({
      minimum: 0,
      description: 'Bytes that they may have.',
      examples: [5_368_709_120],
    }),
  },
  { $id: 'StorageUsage', additionalProperties: false, description: 'Space that files take, and may take.' },
)
export type StorageUsage = Static<typeof StorageUsage>

/** The smaller copies that there are of an image. */
export const VARIANT_NAMES = ['thumbnail', 'preview'] as const

const variantName = {
  name: StringEnum(VARIANT_NAMES, {
    description:
      '`thumbnail` fits into 320 by 320 pixels, `preview` into 1600 by 1600; of an avatar they are squares of 96 and 512.',
    examples: ['thumbnail'],
  }),
}

/** Path parameters of a smaller copy of one of one's own files. */
export const FileVariantParams = Type.Object(
  { ...idParameter, ...variantName },
  { additionalProperties: false },
)

/** Path parameters of a smaller copy of one of an organization's files. */
export const OrganizationFileVariantParams = Type.Object(
  { ...organizationParameter, ...idParameter, ...variantName },
  { additionalProperties: false },
)

/** Path parameters of a smaller copy of an avatar. */
export const AvatarVariantParams = Type.Object(variantName, { additionalProperties: false })

export type VariantName = Static<typeof AvatarVariantParams>['name']

/** Body of createFileLink. */
export const CreateFileLink = Type.Object(
  {
    expires_in: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 604_800,
        description:
          "Seconds for which the link works, by default 900; the service's own limit may be shorter.",
        examples: [900],
      }),
    ),
    download: Type.Optional(
      Type.Boolean({
        description:
          'Whether browsers always save the file. Types that could run are never shown, with either.',
        examples: [false],
      }),
    ),
    variant: Type.Optional(
      StringEnum(VARIANT_NAMES, {
        description: 'Has the link lead to a smaller copy of the image, and to nothing else.',
        examples: ['thumbnail'],
      }),
    ),
  },
  { $id: 'CreateFileLink', additionalProperties: false, description: 'A new link to the content of a file.' },
)
export type CreateFileLink = Static<typeof CreateFileLink>

/** A link that works without a token. */
export const FileLink = Type.Object(
  {
    url: Type.String({
      description: 'Where the content is. Who has it, can read it.',
      examples: [
        'https://files.example.com/api/v1/shared-files/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90?token=q7Yx0cTn',
      ],
    }),
    expires_at: Timestamp('When the link stops working.'),
  },
  { $id: 'FileLink', additionalProperties: false, description: 'A link to the content of a file.' },
)
export type FileLink = Static<typeof FileLink>

/** Query of a link. */
export const SharedFileQuery = Type.Object({
  token: Type.String({
    minLength: 1,
    maxLength: 512,
    description: 'The proof that the link was issued here.',
    examples: ['q7Yx0cTn2mZ1vN9pQe4rWjAxOTk3ZDFjLTdiNmUtN2MzYQ'],
  }),
})

/** The content of a file, of whatever type it is. */
export const BinaryContent = {
  description: 'The content.',
  content: { '*/*': { schema: Type.String({ format: 'binary', description: 'The bytes.' }) } },
}
