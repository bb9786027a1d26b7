import type { TomlValue } from 'smol-toml'
import type { LoadedConfig } from '../load.ts'
import { configKeys, type KeySchema } from './keys.ts'
import { valueAt } from './toml-files.ts'
import { formatDuration, formatSize } from './units.ts'

/** A key of the effective configuration, fit to be shown. */
export interface PrintableKey {
  /** Its path, such as `server.port`. */
  path: string
  /** As it would be written: durations and sizes with their unit, a secret masked; null when not set. */
  value: TomlValue | null
  /** The layer that it came from; null when not set. */
  source: string | null
}

const MASK = '********'

/** Every key with its value and its layer, in the order of the schema. No secret is in it. */
export function listPrintable({ config, sources }: LoadedConfig): PrintableKey[] {
  return configKeys.map(({ path, secret, schema }) => {
    const value = valueAt(config, path)
    const source = sources.get(path) ?? null
    if (value === undefined) return { path, value: null, source }
    return { path, value: secret ? MASK : writtenValue(schema, value), source }
  })
}

function writtenValue(schema: KeySchema, value: TomlValue): TomlValue {
  if (typeof value !== 'number') return value
  if (schema['x-duration']) return formatDuration(value)
  return schema['x-size'] ? formatSize(value) : value
}
