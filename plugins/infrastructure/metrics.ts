import { totalmem } from 'node:os'
import fp from 'fastify-plugin'
import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import { renderOpenMetrics } from '#lib/metrics/open-metrics.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where plugins register their metrics; /metrics shows them. */
    metrics: Registry
    /**
     * Returns the content of /metrics: this process's metrics, or in a worker those of all workers (server.workers).
     *
     * @param accept the format is OpenMetrics where this has it and there are traces to name, else Prometheus's own
     */
    readMetrics: (accept?: string) => Promise<Exposition>
  }
}

/** Metrics as text. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

/** Gauges of prom-client with a counter's suffix, which promtool objects to; their sums are elsewhere by type. */
const MISNAMED = ['handles', 'requests', 'resources'].map((kind) => `nodejs_active_${kind}_total`)

/** The media type in `Accept`. */
const OPENMETRICS = /\bapplication\/openmetrics-text\b/i

/**
 * Prometheus metrics. A registry for each instance, so that tests and their instances don't mix. Labels
 * come from closed sets: the operation is the route's operationId, never its URL.
 */
export default fp(
  async (app) => {
    const registry = new Registry()
    registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE)
    const registers = [registry]
    app.decorate('metrics', registry)
    app.decorate('readMetrics', async (accept = '') => {
      if (app.tracing && OPENMETRICS.test(accept)) {
        return { contentType: Registry.OPENMETRICS_CONTENT_TYPE, text: await renderOpenMetrics(registry) }
      }
      return { contentType: registry.contentType, text: await registry.metrics() }
    })
    for (const metric of metricsOfProcess()) registry.registerMetric(metric)

    new Gauge({
      name: 'app_info',
      help: 'What is running; the value is always 1.',
      labelNames: ['version', 'node_version', 'environment'],
      aggregator: 'first',
      registers,
    }).set({ version: app.appVersion, node_version: process.version, environment: app.config.environment }, 1)

    new Gauge({
      name: 'process_memory_limit_bytes',
      help: 'Memory that the process may use with all others of its container, or of its machine where there is no limit.',
      // Workers share it.
      aggregator: 'max',
      registers,
    }).set(memoryLimit())
  },
  { name: 'metrics' },
)

let ofProcess: readonly Metric[] | undefined

/**
 * The metrics of the process, which all instances in it show. Collected once: prom-client has a timer of ten milliseconds
 * and an observer of garbage collection for them, which never end and would keep an instance in memory that has closed.
 */
function metricsOfProcess(): readonly Metric[] {
  if (ofProcess !== undefined) return ofProcess
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  ofProcess = registry.getMetricsAsArray().flatMap(({ name }) => registry.getSingleMetric(name) ?? [])
  return ofProcess
}

/** Bytes; a limit above the machine's memory, which is how "none" is written, or of 0 limits nothing. */
function memoryLimit(): number {
  return Math.min(process.constrainedMemory() || totalmem(), totalmem())
}
