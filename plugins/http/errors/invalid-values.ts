import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import { type InvalidValue, MAX_INVALID_VALUES } from '#schemas/problem.ts'
import { cutPointer, pointerTo } from './pointer.ts'
import { describe } from './sentences.ts'

/** First segment of the pointers, by the name that Fastify has for the part of the request. */
const PARTS: Readonly<Record<string, string>> = { querystring: 'query' }

/**
 * Describes what Ajv found wrong, the first errors only. Values themselves are never repeated.
 *
 * @param context part of the request, as Fastify names it
 */
export function invalidValues(
  errors: readonly FastifySchemaValidationError[],
  context: string,
): InvalidValue[] {
  const root = `/${PARTS[context] ?? context}`
  const values = new Map<string, InvalidValue>()
  for (const error of errors.slice(0, MAX_INVALID_VALUES)) {
    const value = { pointer: pointer(root, error), ...describe(error) }
    // A pattern and a rule of our own may say the same.
    const key = `${value.code} ${value.pointer}`
    if (!values.has(key)) values.set(key, value)
  }
  return [...values.values()]
}

/** Points at a missing or unknown property itself, not at the object around it. */
function pointer(root: string, { instancePath, params }: FastifySchemaValidationError): string {
  const parent = cutPointer(root + instancePath)
  const name = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty']
  return typeof name === 'string' ? pointerTo(parent, name) : parent
}
