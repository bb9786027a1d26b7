import { type Static, Type } from '@sinclair/typebox'
import { FileName } from './files.ts'
import { Nullable, Timestamp, Uuid } from './primitives.ts'

/** An upload that can be continued. */
export const Upload = Type.Object(
  {
    id: Uuid('Identifier of the upload, and of the file that it makes.'),
    offset: Type.Integer({
      minimum: 0,
      description: 'Bytes that are stored durably: where to go on.',
      examples: [5_242_880],
    }),
    length: Nullable(
      Type.Integer({
        minimum: 0,
        description: 'Bytes of the whole content; null as long as the client has not said it.',
        examples: [52_428_800],
      }),
    ),
    complete: Type.Boolean({
      description: 'Whether all of it has come, and is the content of the file.',
      examples: [false],
    }),
    created_at: Timestamp('When the upload was created.'),
    expires_at: Timestamp('When the upload is deleted, with the file if it has no content by then.'),
  },
  { $id: 'Upload', additionalProperties: false, description: 'An upload that can be continued.' },
)
export type Upload = Static<typeof Upload>

/** Body of createDirectUpload. */
export const CreateDirectUpload = Type.Object(
  {
    name: FileName,
    size: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Bytes of the content.',
      examples: [52_428_800],
    }),
  },
  {
    $id: 'CreateDirectUpload',
    additionalProperties: false,
    description: 'A new file, whose content is sent to the store itself.',
  },
)
export type CreateDirectUpload = Static<typeof CreateDirectUpload>

/** Body of signUploadParts. */
export const SignUploadParts = Type.Object(
  {
    numbers: Type.Array(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'Number of a part, from 1.', examples: [1] }),
      {
        minItems: 1,
        maxItems: 100,
        uniqueItems: true,
        description: 'Parts that are to be sent.',
        examples: [[1]],
      },
    ),
  },
  {
    $id: 'SignUploadParts',
    additionalProperties: false,
    description: 'Parts of an upload that are to be sent.',
  },
)
export type SignUploadParts = Static<typeof SignUploadParts>

/** An upload to the store itself. */
export const DirectUpload = Type.Object(
  {
    id: Uuid('Identifier of the upload, and of the file that it makes.'),
    size: Type.Integer({ minimum: 1, description: 'Bytes of the content.', examples: [52_428_800] }),
    part_size: Type.Integer({
      minimum: 1,
      description: 'Bytes of each part; the last one has what is left.',
      examples: [16_777_216],
    }),
    part_count: Type.Integer({ minimum: 1, description: 'How many parts there are.', examples: [4] }),
    parts: Type.Array(
      Type.Object(
        {
          number: Type.Integer({ minimum: 1, description: 'Number of the part, from 1.', examples: [1] }),
          size: Type.Integer({ minimum: 1, description: 'Bytes that it must have.', examples: [16_777_216] }),
          url: Type.String({
            description: 'Where to send it by PUT, without a token.',
            examples: ['https://s3.example.com/files/0c1a2b?partNumber=1&uploadId=x&X-Amz-Signature=y'],
          }),
        },
        { additionalProperties: false, description: 'A part that can be sent.' },
      ),
      { description: 'Parts that were asked for; when the upload is created, the first 100.' },
    ),
    parts_expire_at: Timestamp('When these URLs stop working.'),
    expires_at: Timestamp('When the upload is deleted, with its file, unless it is completed by then.'),
  },
  {
    $id: 'DirectUpload',
    additionalProperties: false,
    description: 'An upload to the store itself, in parts.',
  },
)
export type DirectUpload = Static<typeof DirectUpload>
