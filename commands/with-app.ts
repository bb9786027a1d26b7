import type { FastifyInstance } from 'fastify'
import { buildApp } from '#app.ts'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/schema/schema.ts'
import { withDatabase } from '#lib/embedded-postgres/with-database.ts'
import { useProxies } from '#lib/network/proxies.ts'
import { note } from './run-command.ts'

/**
 * The configuration of a command: that of the service, as `web`, so that it works on no jobs and passes no events on.
 * From then on its requests take the service's way out (`HTTPS_PROXY`).
 *
 * @param settings environment variables that count for more than those of the process
 */
export function commandConfig(settings: Readonly<Record<string, string>> = {}): Config {
  const env = { APP_LOG__LEVEL: 'error', ...process.env, ...settings, APP_ROLE: 'web' }
  const { config } = loadConfig({ env })
  useProxies(process.env)
  return config
}

/** Does something with the application, which does not listen, and closes it. Starts the embedded database if it is used. */
export async function withApp<T>(config: Config, work: (app: FastifyInstance) => Promise<T>): Promise<T> {
  const database = await withDatabase(config, note)
  try {
    // What it does is the services' work, without a request.
    const app = await buildApp(database.config, { answers: false })
    try {
      await app.ready()
      return await work(app)
    } finally {
      await app.close()
    }
  } finally {
    await database.stop()
  }
}
