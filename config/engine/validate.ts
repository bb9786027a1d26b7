import { Ajv, type ErrorObject, type FuncKeywordDefinition } from 'ajv'
import { envSchema } from 'env-schema'
import type { TomlTable } from 'smol-toml'
import { Config } from '../schema/schema.ts'
import { describeExpected } from './expectations.ts'
import { formats, type StringFormat } from './formats.ts'
import { findKey, type KeySchema, locate, variableName } from './keys.ts'
import { valueAt } from './toml-files.ts'
import { parseDuration, parseSize } from './units.ts'

/**
 * Validates the merged layers against the schema, all at once, and turns written durations and sizes
 * into numbers, in place. Returns the configuration; or adds each thing that is wrong to the problems
 * and returns undefined.
 */
export function validate(
  values: TomlTable,
  sources: ReadonlyMap<string, string>,
  problems: string[],
): Config | undefined {
  try {
    return envSchema<Config>({ schema: Config, data: values, env: false, ajv })
  } catch (error) {
    /* c8 ignore next -- only a misuse of env-schema throws without errors of the validator */
    if (!ajv.errors) throw error
    problems.push(...new Set(ajv.errors.map((item) => explain(item, values, sources))))
    return undefined
  }
}

/** One for the process, so that the schema is compiled once. Nothing is coerced: TOML has types, and variables.ts reads text as its key's type. */
const ajv = new Ajv({
  allErrors: true,
  addUsedSchema: false,
  // Every process compiles the schema, which is our own, to use it once: 80 ms of the processor in place of 140.
  ...{ meta: false, validateSchema: false, code: { optimize: false } },
  formats: Object.fromEntries(Object.entries(formats).map(([name, { validate }]) => [name, validate])),
  keywords: [quantity('x-duration', parseDuration), quantity('x-size', parseSize), 'x-secret'],
})

/** A keyword that checks a written quantity against its bounds and puts the number in its place. */
function quantity(keyword: string, parse: (text: string) => number | undefined): FuncKeywordDefinition {
  return {
    keyword,
    type: 'string',
    modifying: true,
    errors: false,
    validate: (bounds: { minimum: string; maximum: string }, text: string, _schema, place) => {
      // Text that is not a quantity counts as less than any.
      const [minimum = 0, value = -1, maximum = 0] = [bounds.minimum, text, bounds.maximum].map(parse)
      if (value < minimum || value > maximum) return false
      if (place) place.parentData[place.parentDataProperty] = value
      return true
    },
  }
}

function explain(error: ErrorObject, values: TomlTable, sources: ReadonlyMap<string, string>): string {
  const names = error.instancePath.split('/').slice(1)
  if (error.keyword === 'required') {
    const { missingProperty } = error.params
    return `${variableName([...names, missingProperty].join('.'))}: is not set, and has no default`
  }
  const item = /^\d+$/.test(String(names.at(-1))) ? Number(names.pop()) : undefined
  const path = names.join('.')
  const schema: KeySchema = { ...findKey(path)?.schema }
  const value = [valueAt(values, path)].flat()[item ?? 0]
  const format = item === undefined ? schema.format : schema.items?.format
  const own: StringFormat | undefined = error.keyword === 'format' && format ? formats[format] : undefined
  if (own?.explain && typeof value === 'string') {
    const place = item === undefined ? '' : `item ${item + 1} `
    return `${locate(path, sources)}: ${place}${own.explain(value)}`
  }
  const expected =
    item === undefined
      ? `must be ${describeExpected(schema)}`
      : `item ${item + 1} must be ${describeExpected({ ...schema.items })}`
  return `${locate(path, sources)}: ${expected}`
}
