import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fp from 'fastify-plugin'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { databaseAdvice } from '#lib/advice/database-advice.ts'
import { DatabaseUnavailable, databaseError } from '#lib/database/errors.ts'
import { migrateUp } from '#lib/migrations/migrations.ts'

/** Where the migration files are. */
export const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url))

/** Milliseconds between attempts while the database is away. */
const RETRY_DELAY = 1000

/**
 * Milliseconds that the start waits for migrations. Past them it goes on, not ready: an index of an hour, here
 * or in another instance, must not look like a process that hangs.
 */
const PATIENCE = 5000

/**
 * Brings the schema up to date before the service listens. While the database is away it goes on without,
 * not ready, and tries again; a migration that fails ends the process.
 */
export default fp(
  async (app) => {
    const { database } = app.config
    if (!database.migrate_on_start) return
    const connection = await connectionOptions(database)
    let closed = false

    /** Gives false when the database is away. */
    async function migrate(): Promise<boolean> {
      try {
        await migrateUp({
          connection,
          directory: MIGRATIONS,
          log: (message) => app.log.info(message),
        })
        return true
      } catch (thrown) {
        const error = databaseError(thrown)
        if (!(error instanceof DatabaseUnavailable)) throw thrown
        const advice = databaseAdvice(error.cause)
        app.log.warn({ err: error.cause, advice }, 'the database is away; migrations wait for it')
        return false
      }
    }

    async function finish(first: Promise<boolean>): Promise<void> {
      for (let done = await first; !done; done = await migrate()) {
        await sleep(RETRY_DELAY, undefined, { ref: false })
        if (closed) return
      }
    }

    app.addHook('onReady', async () => {
      const first = migrate()
      const outcome = await Promise.race([first, sleep(PATIENCE, 'slow', { ref: false })])
      if (outcome === true) return
      if (outcome === 'slow') app.log.warn('migrations take their time; not ready until they are done')
      // Not awaited: what it throws ends the process, as an unhandled rejection.
      void finish(first)
    })
    app.addHook('onClose', async () => {
      closed = true
    })
  },
  { name: 'migrations', dependencies: ['database'] },
)
