import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, TomlError, type TomlTable, type TomlValue } from 'smol-toml'
import { configKeys } from './keys.ts'

/** The folder that holds the project's TOML files. */
export const CONFIG_DIRECTORY = join(import.meta.dirname, '..')

/** The lowest layer. */
export const DEFAULT_FILE = 'default.toml'

/** The file that is not in git: the only one that may hold real secrets, and may be missing. */
export const LOCAL_FILE = 'local.toml'

/**
 * Reads a TOML file of the directory. A file that cannot be read or parsed adds to the problems
 * and counts as empty, as does a missing local.toml, without a problem.
 */
export function readToml(directory: string, file: string, problems: string[]): TomlTable {
  try {
    return parse(readFileSync(join(directory, file), 'utf8'))
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || file !== LOCAL_FILE)
      problems.push(`${file}${whose(file)}: ${explain(error)}`)
    return {}
  }
}

/** Whether a TOML value is a table, and so could be a section. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The secrets in committed files, which everybody can read. */
export function readKnownSecrets(directory: string): ReadonlySet<TomlValue> {
  const files = listFiles(directory).filter((file) => file.endsWith('.toml') && file !== LOCAL_FILE)
  // Problems of a file are reported when it is read as a layer; other files do not matter.
  const tables = files.map((file) => readToml(directory, file, []))
  const secrets = configKeys.filter((key) => key.secret)
  const values = tables.flatMap((table) => secrets.flatMap((key) => valueAt(table, key.path)))
  return new Set(values.filter((value) => value !== undefined))
}

/** The value at a path of nested tables, if there is one. */
export function valueAt(table: TomlTable, path: string): TomlValue | undefined {
  return path
    .split('.')
    .reduce<TomlValue | undefined>(
      (value, name) => (isTable(value) && Object.hasOwn(value, name) ? value[name] : undefined),
      table,
    )
}

/** The system's code of an error, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function whose(file: string): string {
  return file === DEFAULT_FILE || file === LOCAL_FILE ? '' : ' (named by APP_ENVIRONMENT)'
}

/** Names the place of an error, and not its text: TomlError quotes lines, and a line can hold a secret. */
function explain(error: unknown): string {
  if (error instanceof TomlError) return `is not valid TOML at line ${error.line}, column ${error.column}`
  return `cannot be read (${errorCode(error)})`
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
