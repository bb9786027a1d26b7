import { fileURLToPath } from 'node:url'
import fp from 'fastify-plugin'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { databaseAdvice } from '#lib/advice/database-advice.ts'
import { whenAvailable } from '#lib/database/when-available.ts'
import { migrateUp } from '#lib/migrations/migrations.ts'

/** Where the migration files are. */
export const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url))

/**
 * Brings the schema up to date before the service listens. While the database is away it continues without,
 * not ready, and tries again; a migration that fails ends the process.
 */
export default fp(
  async (app) => {
    const { database } = app.config
    if (!database.migrate_on_start) return
    const connection = await connectionOptions(database)
    const closing = new AbortController()
    const migrate = () =>
      migrateUp({ connection, directory: MIGRATIONS, log: (message) => app.log.info(message) })
    app.addHook('onReady', () =>
      whenAvailable(migrate, {
        signal: closing.signal,
        connectionTimeoutMs: database.connection_timeout,
        away: (cause) => {
          const advice = databaseAdvice(cause)
          app.log.warn({ err: cause, advice }, 'the database is away; migrations wait for it')
        },
        slow: () => app.log.warn('migrations take their time; not ready until they are done'),
      }),
    )
    app.addHook('onClose', async () => closing.abort())
  },
  { name: 'migrations', dependencies: ['database-role'] },
)
