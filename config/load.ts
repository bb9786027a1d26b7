import { ConfigError } from './engine/config-error.ts'
import { isEnvironmentName } from './engine/formats.ts'
import { type Merged, mergeFile, mergeSettings, startLayers } from './engine/layers.ts'
import { UNNAMED, UNNAMED_LAYER } from './engine/local-only.ts'
import { checkRules } from './engine/rules.ts'
import { trim } from './engine/tidy.ts'
import {
  CONFIG_DIRECTORY,
  DEFAULT_FILE,
  LOCAL_FILE,
  readKnownSecrets,
  readToml,
} from './engine/toml-files.ts'
import { validate } from './engine/validate.ts'
import { readVariables, type Variables } from './engine/variables.ts'
import { type Config, DEFAULT_ENVIRONMENT } from './schema/schema.ts'

export interface LoadOptions {
  /** Environment variables; the entry points pass process.env. Empty when left out. */
  env?: Variables
  /** The folder of the TOML files; the project's own config/ when left out. */
  directory?: string
}

export interface LoadedConfig {
  /** Frozen, all through. */
  config: Config
  /**
   * Where each key's value came from: a file of the directory (`default.toml`), a variable
   * (`APP_SERVER__PORT`, `APP_JWT__SECRET_FILE`), or `default` for an environment that nobody named.
   * Optional keys that are not set are not in it.
   */
  sources: ReadonlyMap<string, string>
}

/**
 * Loads the configuration from its layers, lowest first: default.toml, {environment}.toml, local.toml,
 * variables; and validates the whole once.
 * @throws {ConfigError} with every problem there is; nothing falls back silently to a default.
 */
export function loadConfig(options: LoadOptions = {}): LoadedConfig {
  const { env = {}, directory = CONFIG_DIRECTORY } = options
  const environment = trim(env['APP_ENVIRONMENT'] ?? DEFAULT_ENVIRONMENT)
  const merged = mergeLayers(env, directory, environment)
  const { values, sources, problems } = merged

  const config = validate(values, sources, problems)
  const knownSecrets = readKnownSecrets(directory)
  problems.push(...checkRules({ values, sources, environment, variables: env, knownSecrets }))

  if (config === undefined || problems.length > 0) throw new ConfigError(problems)
  return { config: deepFreeze(config), sources }
}

/** Lays the layers over each other, lowest first, before anything is validated. */
export function mergeLayers(env: Variables, directory: string, environment: string): Merged {
  const merged = startLayers(environment)
  // The validation reports a name that is not a plain word; it must not become part of a path.
  const own = isEnvironmentName(environment) ? [`${environment}.toml`] : []
  const layer = (file: string) => mergeFile(merged, file, readToml(directory, file, merged.problems))
  for (const file of [DEFAULT_FILE, ...own]) layer(file)
  if (env['APP_ENVIRONMENT'] === undefined) mergeFile(merged, UNNAMED, UNNAMED_LAYER)
  layer(LOCAL_FILE)
  mergeSettings(merged, readVariables(env, merged.problems))
  return merged
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child)
  }
  return Object.freeze(value)
}
