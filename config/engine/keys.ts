import type { TSchema } from '@sinclair/typebox'
import { Config } from '../schema/schema.ts'
import type { FormatName } from './formats.ts'

/** The part of a key's schema that the code reads; config/schema/schema.ts creates these. */
export interface KeySchema {
  type?: string
  description?: string
  format?: FormatName
  enum?: readonly string[]
  minimum?: number
  maximum?: number
  /** The alternatives of CountOrAuto, the number first. */
  anyOf?: readonly KeySchema[]
  items?: { format?: FormatName }
  properties?: Readonly<Record<string, TSchema>>
  'x-duration'?: { minimum: string; maximum: string }
  'x-size'?: { minimum: string; maximum: string }
  'x-secret'?: true
}

/** One setting: a leaf of the schema. */
export interface ConfigKey {
  /** Its path, such as `auth.argon2.memory_cost`. */
  path: string
  /** The sections that it stands in, outermost first: `auth`, `argon2`. */
  sections: readonly string[]
  /** Its name within the last of them: `memory_cost`. */
  name: string
  /** The variable that sets it, such as `APP_AUTH__ARGON2__MEMORY_COST`. */
  variable: string
  /** Whether its value is never shown and may come from a file. */
  secret: boolean
  schema: KeySchema
}

/** Every key, in the order of the schema. */
export const configKeys: readonly ConfigKey[] = listKeys(Config, [])

const byPath = new Map(configKeys.map((key) => [key.path, key]))

/** The key at a path, or undefined where there is none (a section is not a key). */
export function findKey(path: string): ConfigKey | undefined {
  return byPath.get(path)
}

/** The variable for a path, of a key or of a section. */
export function variableName(path: string): string {
  return `APP_${path.replaceAll('.', '__').toUpperCase()}`
}

/** The beginning of a problem: the variable that would set a key, and where its value came from. */
export function locate(path: string, sources: ReadonlyMap<string, string>): string {
  const variable = variableName(path)
  const source = sources.get(path)
  return source === undefined || source === variable ? variable : `${variable} (from ${source})`
}

/** A section's or key's path below a section ('' is the top). */
export function joinPath(section: string, name: string): string {
  return section === '' ? name : `${section}.${name}`
}

function listKeys(section: KeySchema, sections: readonly string[]): ConfigKey[] {
  return Object.entries({ ...section.properties }).flatMap(([name, schema]: [string, KeySchema]) => {
    const path = [...sections, name].join('.')
    if (schema.properties) return listKeys(schema, [...sections, name])
    const secret = schema['x-secret'] === true
    return [{ path, sections, name, variable: variableName(path), secret, schema }]
  })
}
