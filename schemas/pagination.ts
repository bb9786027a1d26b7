import { type TSchema, Type } from '@sinclair/typebox'
import { Nullable } from './primitives.ts'

const CURSOR_EXAMPLE = 'q7Yx0cTn2mZ1vN9pQe4rWjAxOTk3ZDFjLTdiNmUtN2MzYQ'

/** The query parameters that every list takes. Spread into the list's own query schema. */
export const pageParameters = {
  limit: Type.Integer({
    minimum: 1,
    maximum: 100,
    default: 20,
    description: 'How many items a page holds at most.',
    examples: [20],
  }),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      description: '`next_cursor` of the page before; leave it out for the first page.',
      examples: [CURSOR_EXAMPLE],
    }),
  ),
}

/** A page of a keyset-paged list. */
export const Page = <T extends TSchema>(item: T, $id: string) =>
  Type.Object(
    {
      data: Type.Array(item, { description: 'The items of this page.' }),
      next_cursor: Nullable(
        Type.String({
          description: 'Opaque position of the next page, or null when this is the last one.',
          examples: [CURSOR_EXAMPLE],
        }),
      ),
    },
    { $id, additionalProperties: false, description: 'One page of a list.' },
  )
