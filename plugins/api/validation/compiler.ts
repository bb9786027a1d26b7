import type { Ajv, AnySchema, ErrorObject, ValidateFunction } from 'ajv'
import { type AjvOptions, assertSchema, createAjv } from './ajv.ts'

/** Values of a request up to which all of its errors are looked for. */
const MAX_VALUES = 1000

/** Tells whether a value is valid; `errors` says what was wrong with the last one. */
export interface Validator {
  (value: unknown): boolean
  errors: ErrorObject[] | null
}

/**
 * Makes a function that compiles schemas into validators of bounded work. The first error ends the check; only
 * where a request is small are all of its errors looked for, so that their number is bounded too. Schemas that are the
 * same are compiled once: most path parameters and queries are.
 *
 * @param shared schemas that others refer to by their `$id`
 */
export function createCompiler(
  { coerce }: Pick<AjvOptions, 'coerce'>,
  shared: readonly AnySchema[] = [],
): (schema: AnySchema) => Validator {
  const first = withSchemas(createAjv({ coerce, allErrors: false }), shared)
  // Made when the first invalid value comes: taking in the shared schemas costs a start 10 ms.
  let all: Ajv | undefined
  const compileAll = (schema: AnySchema) => {
    all ??= withSchemas(createAjv({ coerce, allErrors: true }), shared)
    return all.compile(schema)
  }
  const compiled = new Map<string, Validator>()
  return (schema) => {
    const key = JSON.stringify(schema)
    const known = compiled.get(key)
    if (known) return known
    assertSchema(schema)
    const validator = bounded(first.compile(schema), () => compileAll(schema))
    compiled.set(key, validator)
    return validator
  }
}

function withSchemas(ajv: Ajv, shared: readonly AnySchema[]): Ajv {
  for (const schema of shared) {
    assertSchema(schema)
    ajv.addSchema(schema)
  }
  return ajv
}

/** @param compileAll compiles the schema again, when the first invalid value comes */
function bounded(first: ValidateFunction, compileAll: () => ValidateFunction): Validator {
  let all: ValidateFunction | undefined
  const validator = (value: unknown) => {
    validator.errors = null
    if (first(value)) return true
    all ??= compileAll()
    // What the first check has normalised or coerced is the same when it is checked again.
    const found = isSmall(value) && !all(value) ? all.errors : first.errors
    validator.errors = found ?? null
    return false
  }
  validator.errors = null as ErrorObject[] | null
  return validator
}

/** Whether a value holds no more than `MAX_VALUES` others. Iterative: nesting is the caller's. */
function isSmall(root: unknown): boolean {
  const pending = [root]
  let count = 0
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue
    const members = Object.values(value)
    count += members.length
    if (count > MAX_VALUES) return false
    for (const member of members) if (typeof member === 'object') pending.push(member)
  }
  return true
}
