import { type Static, type TSchema, Type } from '@sinclair/typebox'

/**
 * Refers to a schema by its `$id`, so that the OpenAPI document names it as a component instead of copying
 * it. The static type is the schema's own.
 *
 * @throws TypeError when the schema has no `$id`
 */
export function ref<T extends TSchema>(schema: T) {
  if (schema.$id === undefined) throw new TypeError('only a schema with an $id can be referred to')
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` })
}
