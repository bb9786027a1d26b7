import { Counter, Registry } from 'prom-client'

/** Renders the metrics of a registry in the OpenMetrics format, which has exemplars. */
export function renderOpenMetrics(registry: Registry): Promise<string> {
  const copy = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>()
  copy.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = registry.getSingleMetric(name)
    if (metric === undefined) continue
    // prom-client renames counters as it writes them, after which Prometheus's own format would lack their suffix.
    const renamable: Counter | undefined = metric instanceof Counter ? Object.create(metric) : undefined
    copy.registerMetric(renamable ?? metric)
  }
  return copy.metrics()
}
