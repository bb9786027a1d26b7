import type { TomlTable } from 'smol-toml'
import { Config } from '../schema/schema.ts'
import { closest } from './closest.ts'
import { type ConfigKey, configKeys, joinPath, type KeySchema, variableName } from './keys.ts'
import { tidy } from './tidy.ts'
import { isTable } from './toml-files.ts'
import type { Setting } from './variables.ts'

/** The layers laid over each other, before validation. */
export interface Merged {
  values: TomlTable
  /** Where the value of each key came from: the name of a file or of a variable. */
  sources: Map<string, string>
  problems: string[]
}

/** The ground that layers are laid on: the environment's name, and every section, still empty. */
export function startLayers(environment: string): Merged {
  const values: TomlTable = { environment }
  for (const key of configKeys) sectionOf(key, values)
  return { values, sources: new Map([['environment', 'default']]), problems: [] }
}

/**
 * Lays a file's table over what the lower layers gave. Keys that the schema does not know
 * become problems and go no further, so names such as `constructor` reach no object.
 */
export function mergeFile(merged: Merged, file: string, table: TomlTable): void {
  mergeSection(merged, file, { schema: Config, path: '', table, target: merged.values })
}

/** Lays what variables say over the files. */
export function mergeSettings(merged: Merged, settings: readonly Setting[]): void {
  for (const { key, value, source } of settings) {
    sectionOf(key, merged.values)[key.name] = value
    merged.sources.set(key.path, source)
  }
}

interface Place {
  schema: KeySchema
  path: string
  table: TomlTable
  target: TomlTable
}

function mergeSection(merged: Merged, file: string, { schema, path, table, target }: Place): void {
  const properties: Readonly<Record<string, KeySchema>> = { ...schema.properties }
  for (const [name, value] of Object.entries(table)) {
    const childPath = joinPath(path, name)
    const child = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (child === undefined || childPath === 'environment') {
      merged.problems.push(`${file}: ${explainUnknown(path, name, Object.keys(properties))}`)
    } else if (!child.properties) {
      target[name] = tidy(value, child)
      merged.sources.set(childPath, file)
    } else if (isTable(value)) {
      const childTarget = openTable(target, name)
      mergeSection(merged, file, { schema: child, path: childPath, table: value, target: childTarget })
    } else {
      merged.problems.push(`${file}: ${childPath} is a section, and must be a table`)
    }
  }
}

function sectionOf(key: ConfigKey, values: TomlTable): TomlTable {
  return key.sections.reduce(openTable, values)
}

/** The table of that name in another, made where there is none. */
function openTable(parent: TomlTable, name: string): TomlTable {
  const value = parent[name]
  if (isTable(value)) return value
  const made: TomlTable = {}
  parent[name] = made
  return made
}

function explainUnknown(section: string, name: string, known: readonly string[]): string {
  const path = joinPath(section, name)
  if (path === 'environment') return `${path} is set by ${variableName(path)} alone`
  const candidate = closest(name, known)
  const hint = candidate === undefined ? '' : `; did you mean ${joinPath(section, candidate)}?`
  return `${path} is not a known key${hint}`
}
