/** A metric of a text exposition. */
export interface Metric {
  type: string
  /** The values that each label has. */
  labels: Map<string, Set<string>>
  /** How many series there are. */
  series: number
}

/** Reads Prometheus' text format: the metrics by the names of their series, so `_bucket` and the like apart. */
export function readExposition(text: string): Map<string, Metric> {
  const types = new Map(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type] as const),
  )
  const metrics = new Map<string, Metric>()
  const metric = (name: string) => {
    const type = types.get(name) ?? types.get(name.replace(/_(?:bucket|count|sum)$/, '')) ?? 'untyped'
    const known = metrics.get(name) ?? { type, labels: new Map(), series: 0 }
    metrics.set(name, known)
    return known
  }
  for (const [name, type] of types) {
    const names = type === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => name + end) : [name]
    for (const each of names) metric(each)
  }
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = metric(name)
    known.series += 1
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      known.labels.set(label, (known.labels.get(label) ?? new Set()).add(value))
    }
  }
  return metrics
}
