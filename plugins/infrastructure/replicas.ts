import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, Gauge } from 'prom-client'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { PrimaryPosition } from '#lib/database/replicas/primary-position.ts'
import { REPLICA_STATES, Replica } from '#lib/database/replicas/replica.ts'
import { FALLBACK_REASONS, Replicas } from '#lib/database/replicas/replicas.ts'
import { stateLog } from '#lib/database/replicas/state-log.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Replicas to read from; undefined where `database.replica_urls` is empty. */
    replicas: Replicas | undefined
  }
  interface FastifyContextConfig {
    /** Whether what the route reads outside of transactions may come from a replica. Only for routes that change nothing. */
    replica?: boolean
  }
}

/** Reads from replicas, for routes that say so. The service starts and runs without any of them. */
export default fp(
  async (app) => {
    app.addHook('onRoute', ({ method, url, config }) => {
      if (config?.replica && method !== 'GET' && method !== 'HEAD')
        throw new Error(`${String(method)} ${url} changes something, and so can't read from a replica`)
    })
    const { database, role } = app.config
    const { replica_urls: urls, replica_patience: patience } = database
    if (urls.length === 0 || role === 'worker') {
      app.decorate('replicas', undefined)
      return
    }
    const position = new PrimaryPosition(app.db)
    const tell = stateLog(app.moduleLog('database'))
    const observer = app.databaseObserver
    const replicas = await Promise.all(
      urls.map(
        async (url) =>
          new Replica({
            connection: {
              ...(await connectionOptions(database, url)),
              application_name: 'groundwork-replica',
            },
            maxConnections: database.max_connections,
            idleTimeout: database.idle_timeout,
            patience,
            position,
            // The histogram of waits is the pool's of the primary.
            observer: { ...observer, waited: () => undefined },
            changed: tell,
          }),
      ),
    )
    const set = new Replicas({
      primary: app.db,
      position,
      replicas,
      patience,
      ...measure(app, replicas),
    })
    app.decorate('replicas', set)
    app.addHook('onReady', async () => set.start())
    app.addHook('onClose', () => set.close())
  },
  { name: 'replicas', dependencies: ['database', 'log-levels', 'metrics'] },
)

function measure({ metrics }: FastifyInstance, replicas: readonly Replica[]) {
  const registers = [metrics]
  const reads = new Counter({
    name: 'db_replica_reads_total',
    help: 'Reads that a replica answered.',
    labelNames: ['replica'],
    registers,
  })
  for (const { name } of replicas) reads.inc({ replica: name }, 0)
  const fallbacks = new Counter({
    name: 'db_replica_fallbacks_total',
    help: 'Reads that the primary answered in the place of a replica: none was up, or they were behind, conflicted with what is replayed, or failed, or the primary did not say how far it is.',
    labelNames: ['reason'],
    registers,
  })
  for (const reason of FALLBACK_REASONS) fallbacks.inc({ reason }, 0)
  new Gauge({
    name: 'db_replica_state',
    help: 'Processes that see a replica in this state: up, behind the primary, down, or not_standby.',
    labelNames: ['replica', 'state'],
    registers,
    collect() {
      for (const { name: replica, state: current } of replicas)
        for (const state of REPLICA_STATES) this.set({ replica, state }, state === current ? 1 : 0)
    },
  })
  new Gauge({
    name: 'db_replica_lag_seconds',
    help: 'Time since the primary made the last commit that a replica has; 0 if none is missing. Absent while it is down.',
    labelNames: ['replica'],
    // Of several workers, what the one knows that looked when it was furthest behind.
    aggregator: 'max',
    registers,
    collect() {
      this.reset()
      for (const { name: replica, lagSeconds } of replicas) {
        if (lagSeconds !== undefined) this.set({ replica }, lagSeconds)
      }
    },
  })
  return {
    served: ({ name }: Replica) => reads.inc({ replica: name }),
    fellBack: (reason: (typeof FALLBACK_REASONS)[number]) => fallbacks.inc({ reason }),
  }
}
