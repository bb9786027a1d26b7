import { randomBytes } from 'node:crypto'
import type { TomlTable } from 'smol-toml'
import { type LoadOptions, loadConfig, mergeLayers } from '../load.ts'
import { type Config, DEFAULT_ENVIRONMENT } from '../schema/schema.ts'
import { ConfigError } from './config-error.ts'
import { configKeys } from './keys.ts'
import { CONFIG_DIRECTORY, DEFAULT_FILE, isTable, readToml, valueAt } from './toml-files.ts'
import { validate } from './validate.ts'

export interface SoundParts {
  readonly problems: readonly string[]
  /** The paths of keys that have a problem. */
  readonly broken: readonly string[]
  /** With defaults in the place of what is broken, so nothing may rely on those keys; undefined if that is too much. */
  readonly config: Config | undefined
}

const byVariable = new Map(configKeys.map(({ variable, path }) => [variable, path]))

/** Loads what can be loaded of a configuration that may have problems, for looking at the rest of it. */
export function loadSoundParts(options: LoadOptions = {}): SoundParts {
  try {
    return { config: loadConfig(options).config, problems: [], broken: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { problems } = error
    // A problem of a key begins with its variable.
    const broken = problems.flatMap((problem) => byVariable.get(/^\w+/.exec(problem)?.[0] ?? '') ?? [])
    return { problems, broken, config: salvage(options, broken) }
  }
}

function salvage(
  { env = {}, directory = CONFIG_DIRECTORY }: LoadOptions,
  broken: readonly string[],
): Config | undefined {
  const { values, sources } = mergeLayers(
    env,
    directory,
    env['APP_ENVIRONMENT']?.trim() ?? DEFAULT_ENVIRONMENT,
  )
  const defaults = readToml(directory, DEFAULT_FILE, [])
  const without: TomlTable = { environment: 'production', jwt: { secret: randomBytes(32).toString('hex') } }
  for (const path of broken) {
    const value = valueAt(defaults, path) ?? valueAt(without, path)
    const names = path.split('.')
    const name = names.pop() ?? ''
    const section = names.length === 0 ? values : valueAt(values, names.join('.'))
    if (!isTable(section)) continue
    if (value === undefined) delete section[name]
    else section[name] = value
  }
  return validate(values, sources, [])
}
