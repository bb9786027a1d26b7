import { type Static, Type } from '@sinclair/typebox'
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
