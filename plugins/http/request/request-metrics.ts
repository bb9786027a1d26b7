import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { Histogram, type Series } from '#lib/metrics/histogram.ts'

/** Seconds; from a cached answer to what no client waits for. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer lasts as long as the client listens, which says nothing of how fast the service is. */
    isStream?: boolean
  }
}

/** Counts and times every request by its operation, which is the route's operationId and never its URL. */
export default fp(
  async (app) => {
    const registers = [app.metrics]
    new Gauge({
      name: 'http_requests_in_flight',
      help: 'Requests that have begun and not ended.',
      registers,
      collect() {
        this.set(app.requestsInFlight())
      },
    })
    const durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its response.',
      buckets: DURATION_BUCKETS,
      registers,
    })
    const known = new Map<string, Map<string, Map<number, Series>>>()
    app.onRequestEnd('metrics', ({ method, span, routeOptions }, { operation, status, milliseconds }) => {
      if (routeOptions.config?.isStream && saysNothing(status, app.isDraining())) return
      const byStatus = getOrAdd(
        getOrAdd(known, operation, () => new Map()),
        method,
        () => new Map(),
      )
      const series = getOrAdd(byStatus, status, () =>
        durations.series({ method, operation, status_code: status }),
      )
      series.observe(milliseconds / 1000, span?.isSampled ? span.ids.trace_id : undefined)
    })
  },
  { name: 'request-metrics', dependencies: ['draining', 'metrics', 'request-end'] },
)

/** Whether a stream lasted as long as its client listened, or was sent to another instance by one that ends. */
function saysNothing(status: number, isDraining: boolean): boolean {
  return status < 400 || status === 499 || (status === 503 && isDraining)
}

/** A key of its own for each label: to put them together costs more than to look three up. */
function getOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = create()
    map.set(key, value)
  }
  return value
}
