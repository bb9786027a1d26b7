import { readFileSync } from 'node:fs'
import type { TomlValue } from 'smol-toml'
import { closest } from './closest.ts'
import { type ConfigKey, configKeys, type KeySchema } from './keys.ts'
import { tidy, trim } from './tidy.ts'
import { errorCode } from './toml-files.ts'

/** Environment variables, such as process.env. */
export type Variables = Readonly<Record<string, string | undefined>>

/** The value of a key from a variable, or from the file that it names. */
export interface Setting {
  key: ConfigKey
  value: TomlValue
  /** The variable's name. */
  source: string
}

const FILE_SUFFIX = '_FILE'

const byVariable = new Map(configKeys.map((key) => [key.variable, key]))

/** Variables that name the file of a secret. */
const byFileVariable = new Map(
  configKeys.filter((key) => key.secret).map((key) => [key.variable + FILE_SUFFIX, key]),
)

const allNames = [...byVariable.keys(), ...byFileVariable.keys()]

/**
 * Reads the settings from variables: `APP_SECTION__KEY`, `APP_ENVIRONMENT`, and `APP_SECTION__KEY_FILE`
 * for secrets. White space around a value is not part of it. Adds a problem for each variable with a double underscore
 * that no key answers to; other `APP_` variables are somebody else's (Kubernetes sets APP_PORT for a service called "app").
 */
export function readVariables(env: Variables, problems: string[]): Setting[] {
  return Object.entries(env).flatMap(([name, text]) => {
    if (text === undefined) return []
    const key = byVariable.get(name)
    if (key) return [{ key, value: readText(bare(name, text, problems), key.schema), source: name }]
    const fileKey = byFileVariable.get(name)
    if (fileKey) return readSecretFile(fileKey, name, bare(name, text, problems), env, problems)
    if (isOurs(name)) problems.push(`${name}: is not a known variable${suggest(name)}`)
    // Ignored, it would mean development.
    else if (isMistypedEnvironment(name))
      problems.push(`${name}: is not a known variable; did you mean APP_ENVIRONMENT?`)
    return []
  })
}

/** Whether a name can only be meant for us; in the wrong case it is a typing error like another. */
function isOurs(name: string): boolean {
  return name.toUpperCase().startsWith('APP_') && name.includes('__')
}

function isMistypedEnvironment(name: string): boolean {
  return /^app[_-]?e/i.test(name) && closest(name, ['APP_ENVIRONMENT']) !== undefined
}

/** A text without what surrounds it and is not meant; adds a problem for quotation marks, which may be a part of it. */
function bare(name: string, text: string, problems: string[]): string {
  const trimmed = trim(text)
  if (trimmed.length > 1 && /^(["']).*\1$/s.test(trimmed)) {
    problems.push(
      `${name}: begins and ends with a quotation mark: leave both out; docker run --env-file, for one, does not take them away`,
    )
  }
  return trimmed
}

function readText(text: string, schema: KeySchema): TomlValue {
  return tidy(parseText(text, schema), schema)
}

/** Text as its key's type where it is that; else as it is, for the validation to refuse. */
function parseText(text: string, schema: KeySchema): TomlValue {
  const [first] = schema.anyOf ?? []
  if (first) return parseText(text, first)
  switch (schema.type) {
    case 'array':
      return itemsOf(text)
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : text
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
    default:
      return text
  }
}

/** Items between commas or line breaks; a comma or a break after the last begins no other. */
function itemsOf(text: string): string[] {
  const items = text.split(/[^\S\n]*(?:,\s*|\n\s*)/)
  if (items.at(-1) === '') items.pop()
  return items
}

function readSecretFile(
  key: ConfigKey,
  name: string,
  path: string,
  env: Variables,
  problems: string[],
): Setting[] {
  if (env[key.variable] !== undefined) {
    problems.push(`${name}: is set together with ${key.variable}; only one of them can hold`)
    return []
  }
  try {
    // A file of random bytes would be read as many equal replacement characters, a weak secret.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
    return [{ key, value: readText(bare(name, text, problems), key.schema), source: name }]
  } catch (error) {
    // Without the path, because somebody may have put the secret itself in its place.
    problems.push(`${name}: names a file that cannot be read as text (${errorCode(error)})`)
    return []
  }
}

function suggest(name: string): string {
  const candidate = closest(name, allNames)
  return candidate === undefined ? '' : `; did you mean ${candidate}?`
}
