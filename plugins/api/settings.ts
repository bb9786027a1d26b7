import fp from 'fastify-plugin'
import { configKeys } from '#config/engine/keys.ts'
import { listPrintable } from '#config/engine/printable.ts'
import { DEFAULT_FILE } from '#config/engine/toml-files.ts'
import type { LoadedConfig } from '#config/load.ts'
import type { Setting } from '#schemas/settings.ts'
import type { SettingsContext } from '#services/operations/settings.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<SettingsContext, 'settings'> {}
}

/** Adds the settings to the context, with where each came from and without secrets, for admins. */
export default fp(
  async (app) => {
    app.addContext({ settings: settingsOf({ config: app.config, sources: app.configSources }) })
  },
  { name: 'settings', dependencies: ['context'] },
)

function settingsOf(loaded: LoadedConfig): Setting[] {
  const keys = new Map(configKeys.map((key) => [key.path, key]))
  return listPrintable(loaded).map(({ path, value, source }) => {
    const { secret = false, schema } = keys.get(path) ?? {}
    return {
      key: path,
      value: value === null || secret ? null : JSON.stringify(value),
      is_secret: secret,
      is_set: value !== null,
      origin: originOf(source),
      source,
      description: schema?.description ?? '',
    }
  })
}

/** A variable is named in capitals; everything else but the default is a file. */
function originOf(source: string | null): Setting['origin'] {
  if (source === null || source === 'default' || source === DEFAULT_FILE) return 'default'
  return source.startsWith('APP_') ? 'environment' : 'file'
}
