import { formats } from './formats.ts'
import type { KeySchema } from './keys.ts'

/** Describes what a key accepts, in words that complete "must be ...". */
export function describeExpected(schema: KeySchema): string {
  const duration = schema['x-duration']
  if (duration) return `a duration in ms, s, m, h or d from ${duration.minimum} to ${duration.maximum}`
  const size = schema['x-size']
  if (size) return `a size in B, KiB, MiB or GiB from ${size.minimum} to ${size.maximum}`
  if (schema.anyOf) return schema.anyOf.map(describeExpected).join(' or ')
  if (schema.enum?.length === 1) return `${schema.enum[0]}`
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.format) return formats[schema.format].expects
  return describeType(schema)
}

function describeType(schema: KeySchema): string {
  switch (schema.type) {
    case 'array':
      return `a list, each item of which is ${describeExpected({ ...schema.items })}`
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`
    case 'number':
      return `a number from ${schema.minimum} to ${schema.maximum}`
    default:
      return 'text that is not empty'
  }
}
