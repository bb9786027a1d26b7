import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import { LogLevelControl } from '#lib/log/levels.ts'
import type { LogLevels, LogModule } from '#schemas/log-levels.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The levels of this process. */
    logLevels: LogLevelControl<FastifyBaseLogger>
    /** Sets them, in a worker those of all workers (server.workers). */
    changeLogLevels: (levels: LogLevels) => void
    /** The logger of a module. */
    moduleLog(name: LogModule): FastifyBaseLogger
  }
}

/** Levels of the log that can be changed while the service runs, for one module too. */
export default fp(
  async (app) => {
    const control = new LogLevelControl<FastifyBaseLogger>(app.log)
    app.decorate('logLevels', control)
    app.decorate('changeLogLevels', (levels) => control.set(levels))
    app.decorate('moduleLog', (name) => control.module(name))
  },
  { name: 'log-levels' },
)
