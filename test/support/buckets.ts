import { Histogram, type Registry } from 'prom-client'

/** The upper bounds of a histogram's buckets; undefined without such a metric. */
export function bucketsOf(metrics: Registry, name: string): unknown {
  const metric = metrics.getSingleMetric(name)
  return metric instanceof Histogram ? Reflect.get(metric, 'upperBounds') : undefined
}
