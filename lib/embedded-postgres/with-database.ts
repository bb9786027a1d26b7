import { fileURLToPath } from 'node:url'
import type { Config } from '#config/schema/schema.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

/** Where the embedded server keeps its data. */
const DIRECTORY = fileURLToPath(new URL('../../.data/postgres', import.meta.url))

/**
 * Returns the configuration with a database in it: the configured one, or the embedded server if none is
 * configured (the configuration's own rules allow that in development and tests only).
 *
 * @param signal ends what a start has begun that nobody will finish
 * @returns `stop` leaves the embedded server; without one it does nothing.
 */
export async function withDatabase(
  config: Config,
  log: (message: string) => void,
  signal?: AbortSignal,
): Promise<{ config: Config; stop: () => Promise<void> }> {
  if (config.database.url !== undefined) return { config, stop: async () => undefined }
  const server = await startEmbeddedPostgres({ directory: DIRECTORY, log, signal })
  const database = { ...config.database, url: server.url }
  return { config: { ...config, database }, stop: () => server.stop() }
}
