import type { FastifyInstance } from 'fastify'
import { Counter, Gauge } from 'prom-client'
import { LOST_RACES } from '#lib/database/errors.ts'
import type { DatabaseObserver } from '#lib/database/run.ts'
import { Histogram, type Series } from '#lib/metrics/histogram.ts'

/** Seconds; a statement takes tens of microseconds to statement_timeout. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Returns an observer that counts and times what the database does, and traces it where traces are on. */
export function createObserver(app: FastifyInstance): DatabaseObserver {
  const registers = [app.metrics]
  const queries = new Histogram({
    name: 'db_query_duration_seconds',
    help: 'Time from sending a statement to its last row.',
    buckets: BUCKETS,
    registers,
  })
  const waits = new Histogram({
    name: 'db_pool_wait_seconds',
    help: 'Time that callers waited for a connection of the pool.',
    buckets: BUCKETS,
    registers,
  }).series({})
  measurePool(app)
  const retries = new Counter({
    name: 'db_retries_total',
    help: 'Transactions and statements retried after a deadlock (40P01) or a serialization failure (40001).',
    labelNames: ['state'],
    registers,
  })
  for (const state of LOST_RACES) retries.inc({ state }, 0)
  const cancellations = new Counter({
    name: 'db_cancellations_total',
    help: 'Statements cancelled because the client of their request had left.',
    registers,
  })
  const log = app.moduleLog('database')
  const byStatement = new Map<string, Series>()
  return {
    queried: (statement, seconds) => {
      const series = byStatement.get(statement) ?? queries.series({ statement })
      byStatement.set(statement, series)
      series.observe(seconds)
      if (log.level === 'trace') log.trace({ statement, duration_ms: seconds * 1000 }, 'statement completed')
    },
    waited: (seconds) => waits.observe(seconds),
    repeated: (state) => retries.inc({ state }),
    cancelled: () => cancellations.inc(),
    ...tracer(app),
  }
}

function measurePool({ metrics, pg: { pool } }: FastifyInstance): void {
  new Gauge({
    name: 'db_pool_connections',
    help: 'Connections of the pool by state; `waiting` counts the callers that wait for one.',
    labelNames: ['state'],
    registers: [metrics],
    collect() {
      this.set({ state: 'idle' }, pool.idleCount)
      this.set({ state: 'active' }, pool.totalCount - pool.idleCount)
      this.set({ state: 'waiting' }, pool.waitingCount)
    },
  })
}

function tracer({ tracing }: FastifyInstance): Pick<DatabaseObserver, 'trace'> {
  if (!tracing) return {}
  return {
    // The statement's name, and never its text or values.
    trace: (statement, work) =>
      tracing.trace(
        statement,
        'client',
        { 'db.system.name': 'postgresql', 'db.operation.name': statement },
        work,
      ),
  }
}
