import fp from 'fastify-plugin'
import { Counter } from 'prom-client'

/** Counts the log lines that nobody took. */
export default fp(
  async (app) => {
    new Counter({
      name: 'log_lines_dropped_total',
      help: 'Log lines that were lost because standard output was blocked or closed.',
      registers: [app.metrics],
      collect() {
        this.reset()
        this.inc(app.logDestination?.dropped ?? 0)
      },
    })
  },
  { name: 'log-metrics', dependencies: ['metrics'] },
)
