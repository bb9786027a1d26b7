import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import { errorCatalogue, ServiceError } from '#lib/errors.ts'
import { Summary } from './summary.ts'

/** Where a request was refused: by Node's parser, before the framework, or as an operation. */
export type RefusalStage = 'parser' | 'admission' | 'operation'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a refused request; those that are the service's failure are summed up in the log. */
    noteRefusal(stage: RefusalStage, reason: string): void
  }
}

/** Reasons of refusals before there is an operation. */
const EARLY_REASONS: Readonly<Record<Exclude<RefusalStage, 'operation'>, readonly string[]>> = {
  parser: ['bad_request', 'headers_too_large', 'payload_too_large', 'request_timeout'],
  admission: ['event_loop', 'database', 'realtime_connections'],
}

/** Whether a request was refused because the service had too much to do, and nothing else was wrong. */
export function isOverload({ refusal, failure }: FastifyRequest): boolean {
  return refusal !== undefined && failure instanceof ServiceError
}

/**
 * Counts refused requests, and sums them up in the log once a second: an overload refuses thousands a second, and a
 * line for each would add to it (docs/decisions/035). An error that has a cause, such as a database that is away, is
 * logged in full once in each of these seconds.
 */
export default fp(
  async (app) => {
    const count = createCounts(app)
    const summary = new Summary((refused, reasons) => {
      app.log.error({ refused, reasons, pressure: pressureOf(app) }, 'requests were refused')
    })
    app.addHook('onClose', async () => summary.flush())

    app.decorate('noteRefusal', (stage, reason) => {
      count(stage, reason)
      // What the parser refuses is the client's failure, and has a line of its own.
      if (stage !== 'parser') summary.add(reason)
    })
    app.onRequestEnd('refusals', (request, { status }) => {
      const { refusal, routeOptions } = request
      if (status !== 503 || refusal === undefined) return
      // An instance that ends sends those who listen elsewhere, which is nothing that somebody should look at.
      if (routeOptions.config?.isStream && app.isDraining()) {
        request.isRepeatedRefusal = true
        return
      }
      count('operation', refusal)
      if (!isOverload(request) && summary.claimFirst(refusal)) return
      request.isRepeatedRefusal = true
      summary.add(refusal)
    })
  },
  { name: 'refusals', dependencies: ['database', 'draining', 'metrics', 'request-end'] },
)

/** Registers the metric, and returns what counts for it. */
function createCounts(app: FastifyInstance): (stage: RefusalStage, reason: string) => void {
  const counts = new Map<RefusalStage, Map<string, number>>()
  const add = (stage: RefusalStage, reason: string, increase: number) => {
    const reasons = counts.get(stage) ?? new Map<string, number>()
    counts.set(stage, reasons.set(reason, (reasons.get(reason) ?? 0) + increase))
  }
  new Counter({
    name: 'http_requests_refused_total',
    help: 'Requests that were refused, by stage and reason. Those of the stage operation are in http_request_duration_seconds too.',
    labelNames: ['stage', 'reason'],
    registers: [app.metrics],
    collect() {
      this.reset()
      for (const [stage, reasons] of counts) {
        for (const [reason, value] of reasons) this.inc({ stage, reason }, value)
      }
    },
  })
  for (const reason of EARLY_REASONS.parser) add('parser', reason, 0)
  for (const reason of EARLY_REASONS.admission) add('admission', reason, 0)
  // When every error is declared. A counter that begins with 0 shows its first increase.
  app.addHook('onReady', async () => {
    for (const { code, status } of errorCatalogue().values()) if (status === 503) add('operation', code, 0)
  })
  return (stage, reason) => add(stage, reason, 1)
}

/** The process' current load. */
function pressureOf(app: FastifyInstance): object {
  const { eventLoopDelay, eventLoopUtilized, heapUsed } = app.memoryUsage()
  return {
    // The mean of no sample is NaN: the loop has not turned since it was last measured.
    event_loop_delay_ms: Number.isFinite(eventLoopDelay) ? Math.round(eventLoopDelay) : null,
    event_loop_utilization: Math.round(eventLoopUtilized * 100) / 100,
    heap_used_bytes: heapUsed,
    requests_in_flight: app.requestsInFlight(),
    database_waiting: app.pg.pool.waitingCount,
  }
}
