import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { Instances } from '#lib/instances/instances.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The processes that serve now. */
    instances: Pick<Instances, 'known' | 'ownId' | 'list'>
  }
}

/** Counts the instances that serve; workers look on. */
export default fp(
  async (app) => {
    const { connection_timeout, query_timeout } = app.config.database
    const answerTimeout = connection_timeout + query_timeout
    const instances = new Instances(app.db, { version: app.appVersion, answerTimeout }, app.log)
    app.decorate('instances', instances)
    if (app.config.role === 'worker') return
    new Gauge({
      name: 'instances_known',
      help: 'Processes that serve, each worker of server.workers counted, as this one knows; no less than the last known number while the database is away and until all had the time to come back.',
      // Every process counts the same table.
      aggregator: 'max',
      registers: [app.metrics],
      collect() {
        this.set(instances.known)
      },
    })
    app.addHook('onReady', () => instances.start())
    app.addHook('onClose', () => instances.close())
  },
  { name: 'instances', dependencies: ['database', 'metrics', 'migrations'] },
)
