import type { Aggregator, Registry } from 'prom-client'

/** A metric of one process with its values, as prom-client returns it (`getMetricsAsJSON`). */
export interface MetricData {
  name: string
  help: string
  type: unknown
  /** How the values of several processes become one. */
  aggregator: Aggregator
  values: { value: number }[]
}

/** Default metrics of prom-client whose own way to add up says little: the worst loop, the latest start. */
const AGGREGATORS: Readonly<Record<string, Aggregator>> = {
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_p90_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
  process_start_time_seconds: 'max',
}

/** Reads a registry for another process. Values that are not numbers, such as the mean of nothing, are left out. */
export async function readRegistry(registry: Registry): Promise<MetricData[]> {
  const metrics = await registry.getMetricsAsJSON()
  return metrics.map(({ name, help, type, aggregator, values }) => ({
    name,
    help,
    type,
    aggregator: AGGREGATORS[name] ?? aggregator,
    values: values.filter(({ value }) => Number.isFinite(value)),
  }))
}
