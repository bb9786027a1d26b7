import { type Static, type StringOptions, type TSchema, Type } from '@sinclair/typebox'

/** A UUID in its canonical text form (RFC 9562). Ids that we issue are of version 7, so they sort by age. */
export const Uuid = (description: string, options: StringOptions = {}) =>
  Type.String({ ...options, format: 'uuid', description, examples: ['01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'] })

/** One of a few words. An `enum`, because a union of constants makes for poor error messages and documents. */
export const StringEnum = <const T extends string>(values: readonly T[], options: StringOptions) =>
  Type.Unsafe<T>(Type.String({ ...options, enum: [...values] }))

/** A point in time as text: RFC 3339, UTC, milliseconds, `Z`, as `Date.toISOString()` has it. */
export const Timestamp = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-01-31T08:15:30.123Z'] })

/** A value, or null where there is none: `type: [..., "null"]`, which more generators can read than `anyOf`. */
export const Nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] })

/** The answer without a body, which goes with 204. */
export const NoContent = (description: string) => Type.Unsafe<undefined>(Type.Null({ description }))
