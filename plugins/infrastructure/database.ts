import postgres from '@fastify/postgres'
import fp from 'fastify-plugin'
import { Counter, Gauge } from 'prom-client'
import { connectionOptions } from '#config/engine/database-connection.ts'
import type { Config } from '#config/schema/schema.ts'
import { LOST_RACES } from '#lib/database/errors.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import type { DatabaseObserver } from '#lib/database/run.ts'
import { Session } from '#lib/database/session.ts'
import { types } from '#lib/database/types.ts'
import { Histogram, type Series } from '#lib/metrics/histogram.ts'

declare module 'fastify' {
  interface FastifyInstance {
    db: PoolDatabase
  }
}

/** Seconds; a statement takes tens of microseconds to statement_timeout. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** PostgreSQL: the pool (@fastify/postgres), what services see of it, and their metrics. */
export default fp(
  async (app) => {
    const { tracing } = app
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

    const registers = [app.metrics]
    const queries = new Histogram({
      name: 'db_query_duration_seconds',
      help: 'Time from sending a statement to its last row.',
      buckets: BUCKETS,
      registers,
    })
    const byStatement = new Map<string, Series>()
    const seriesOf = (statement: string) => {
      const series = byStatement.get(statement) ?? queries.series({ statement })
      byStatement.set(statement, series)
      return series
    }
    const waits = new Histogram({
      name: 'db_pool_wait_seconds',
      help: 'Time that callers waited for a connection of the pool.',
      buckets: BUCKETS,
      registers,
    }).series({})
    new Gauge({
      name: 'db_pool_connections',
      help: 'Connections of the pool by state; `waiting` counts the callers that wait for one.',
      labelNames: ['state'],
      registers,
      collect() {
        this.set({ state: 'idle' }, pool.idleCount)
        this.set({ state: 'active' }, pool.totalCount - pool.idleCount)
        this.set({ state: 'waiting' }, pool.waitingCount)
      },
    })

    const retries = new Counter({
      name: 'db_retries_total',
      help: 'Transactions and statements begun anew after a deadlock (40P01) or a serialization failure (40001).',
      labelNames: ['state'],
      registers,
    })
    for (const state of LOST_RACES) retries.inc({ state }, 0)
    const cancellations = new Counter({
      name: 'db_cancellations_total',
      help: 'Statements cancelled because the client of their request had left.',
      registers,
    })

    const observer: DatabaseObserver = {
      queried: (statement, seconds) => {
        seriesOf(statement).observe(seconds)
        if (log.level === 'trace')
          log.trace({ statement, duration_ms: seconds * 1000 }, 'statement completed')
      },
      waited: (seconds) => waits.observe(seconds),
      repeated: (state) => retries.inc({ state }),
      cancelled: () => cancellations.inc(),
      ...(tracing
        ? {
            // The statement's name, and never its text or values.
            trace: (statement, work) =>
              tracing.trace(
                statement,
                'client',
                { 'db.system.name': 'postgresql', 'db.operation.name': statement },
                work,
              ),
          }
        : {}),
    }
    const { max_waiting } = app.config.pressure
    const db = new PoolDatabase(pool, observer, {
      ...(max_waiting > 0 ? { maxWaiting: max_waiting } : {}),
    })
    app.decorate('db', db)
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
