import postgres from '@fastify/postgres'
import fp from 'fastify-plugin'
import { connectionOptions } from '#config/engine/database-connection.ts'
import type { Config } from '#config/schema/schema.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import type { DatabaseObserver } from '#lib/database/run.ts'
import { Session } from '#lib/database/session.ts'
import { types } from '#lib/database/types.ts'
import { createObserver } from './observer.ts'

declare module 'fastify' {
  interface FastifyInstance {
    db: PoolDatabase
    /** Counts, times and traces what databases do. */
    databaseObserver: DatabaseObserver
    /** Calls a listener whenever this instance has committed events. */
    onEmitted(listener: () => void): void
  }
}

/** PostgreSQL: the pool (@fastify/postgres), what services see of it, and their metrics. */
export default fp(
  async (app) => {
    const { database } = app.config
    await app.register(postgres, await poolOptions(database))
    const { pool } = app.pg

    // An idle connection that dies; the pool has dropped it, the next caller gets a new one.
    const log = app.moduleLog('database')
    let isToldOfPooler = false
    pool.on('error', (error) => log.warn({ err: error }, 'lost an idle database connection'))
    pool.on('connect', (client) => {
      if (isToldOfPooler || !(client instanceof Session) || !client.isPooled) return
      isToldOfPooler = true
      const { prepares, differing } = client
      log.warn(
        { prepares, differing },
        'there is a pooler before PostgreSQL; set what differs on the role (docs/operations/database.md)',
      )
    })

    const { max_waiting } = app.config.pressure
    const listeners: (() => void)[] = []
    const emitted = () => {
      for (const listener of listeners) listener()
    }
    const observer = { ...createObserver(app), emitted }
    const db = new PoolDatabase(pool, observer, {
      ...(max_waiting > 0 ? { maxWaiting: max_waiting } : {}),
    })
    app.decorate('db', db)
    app.decorate('databaseObserver', observer)
    app.decorate('onEmitted', (listener) => {
      listeners.push(listener)
    })
    // Hooks run in reverse order: this one before the one that ends the pool.
    app.addHook('onClose', () => db.close())
  },
  { name: 'database', dependencies: ['log-levels', 'metrics'] },
)

async function poolOptions(database: Config['database']) {
  const connection = await connectionOptions(database)
  return {
    // The pool makes connections of this kind, and none by options of its own.
    Client: class extends Session {
      constructor() {
        super(connection, { pipeline: true, types })
      }
    },
    max: database.max_connections,
    idleTimeoutMillis: database.idle_timeout,
    connectionTimeoutMillis: database.connection_timeout,
  }
}
