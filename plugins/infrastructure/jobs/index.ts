import fp from 'fastify-plugin'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { whenAvailable } from '#lib/database/when-available.ts'
import { createBoss } from '#lib/jobs/boss.ts'
import { watchDueJobs } from '#lib/jobs/due-jobs.ts'
import { findJobs } from '#lib/jobs/find-jobs.ts'
import { indexInBackground } from '#lib/jobs/indexes.ts'
import { Pauses } from '#lib/jobs/pauses.ts'
import { PlacesOfQueues } from '#lib/jobs/places.ts'
import { JobQueue } from '#lib/jobs/queue.ts'
import { countJobs } from '#lib/jobs/statistics.ts'
import { work } from '#lib/jobs/worker.ts'
import type { Span } from '#lib/tracing/tracing.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { registerJobMetrics } from './metrics.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext {
    readonly jobs: JobQueue
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The queue for work to be done later. */
    jobs: JobQueue
  }
}

/** Share of the time for the shutdown that running jobs get to finish in. */
const STOP_SHARE = 0.8

/**
 * Jobs (pg-boss): every role enqueues, all but `web` work. While the database is away the service goes on
 * without, and tries again.
 */
export default fp(
  async (app) => {
    const { database, role, server } = app.config
    const works = role !== 'web'
    const connection = await connectionOptions(database)
    const log = app.moduleLog('jobs')
    const working = new PlacesOfQueues()
    const announced = (name: string) => working.announce(name)
    const boss = createBoss({ pool: app.pg.pool, connection, works, log, announced })
    const jobs = await findJobs<AppContext>()
    const queue = new JobQueue(boss, app.tracing)
    app.decorate('jobs', queue)
    app.addContext({ jobs: queue })
    const finished = registerJobMetrics(app.metrics, jobs, () => countJobs(app.db))

    const gaveUp = (queueName: string, error: unknown, span: Span | undefined) =>
      app.recordError(error, { operation: queueName, level: 'error', span })

    async function start(): Promise<void> {
      await queue.start(jobs, { schedules: works })
      indexInBackground(app.db, { connection, signal: stopping.signal, log })
      const runnable = new Map(
        jobs.filter((job) => works && (job.canRun?.(app.ctx) ?? true)).map((job) => [job.name, job]),
      )
      const pauses = new Pauses([...runnable.keys()], {
        db: app.db,
        log,
        async start(name) {
          const job = runnable.get(name)
          if (job === undefined || stopping.signal.aborted) return
          const contextFor = (fields: object) => ({
            ...app.ctx,
            log: app.moduleLog(job.module).child(fields),
          })
          working.set(name, await work(boss, job, { contextFor, finished, gaveUp, tracing: app.tracing }))
        },
        stop(name) {
          working.delete(name)
          return boss.offWork(name, { wait: false })
        },
      })
      await pauses.run(stopping.signal)
      watchDueJobs(app.db, log, working, stopping.signal)
    }

    const stopping = new AbortController()
    async function startUnlessStopped(): Promise<void> {
      try {
        await start()
      } catch (error) {
        if (!stopping.signal.aborted) throw error
      }
    }
    app.addHook('onReady', () =>
      whenAvailable(startUnlessStopped, {
        signal: stopping.signal,
        connectionTimeoutMs: database.connection_timeout,
        away: (cause) => log.warn({ err: cause }, 'the database is away; jobs wait for it'),
      }),
    )

    let stopped: Promise<void> | undefined
    const stop = () => {
      stopping.abort()
      const timeout = STOP_SHARE * (server.shutdown_timeout - server.drain_delay)
      stopped ??= boss.stop({ timeout: Math.max(timeout, 0) })
      return stopped
    }
    // No new job is begun while the last requests are served; those can still enqueue.
    app.addHook('preClose', () => {
      stop().catch((error) => log.error({ err: error }, 'the workers did not stop in order'))
    })
    app.addHook('onClose', stop)
  },
  {
    name: 'jobs',
    dependencies: ['context', 'database', 'migrations', 'metrics', 'error-reports', 'log-levels'],
  },
)
