import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { InvalidValue } from '../../schemas/problem.ts'

/** First segment of the pointers, by the name that Fastify has for the part of the request. */
const PARTS: Readonly<Record<string, string>> = { querystring: 'query' }

/** Turns Ajv's errors into pointers and messages; the values themselves are never repeated. */
export function invalidValues(
  errors: readonly FastifySchemaValidationError[],
  context: string,
): InvalidValue[] {
  return errors.map((error) => ({
    pointer: `/${PARTS[context] ?? context}${pointer(error)}`,
    message: message(error),
  }))
}

/** A missing or unknown property is pointed at itself, not at the object around it. */
function pointer({ instancePath, params }: FastifySchemaValidationError): string {
  const name = params['missingProperty'] ?? params['additionalProperty']
  return typeof name === 'string'
    ? `${instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    : instancePath
}

function message(error: FastifySchemaValidationError): string {
  switch (error.keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a property that is known here'
    case 'enum':
      return `must be one of ${[error.params['allowedValues']].flat().join(', ')}`
    default:
      return ownMessage(error) ?? error.message ?? 'is invalid'
  }
}

const PATTERNS: readonly string[] = ['pattern', 'x-pattern']

/** The schema's own words for its pattern. Ajv's `verbose` option adds the schema; Fastify's type does not know. */
function ownMessage(error: FastifySchemaValidationError): string | undefined {
  if (!PATTERNS.includes(error.keyword) || !('parentSchema' in error)) return undefined
  const { parentSchema } = error
  if (typeof parentSchema !== 'object' || parentSchema === null || !('x-message' in parentSchema)) {
    return undefined
  }
  return String(parentSchema['x-message'])
}
