/** The instances that the dashboard's variables choose. */
const CHOSEN = 'job="$job", instance=~"$instance"'

/** A metric's series of the chosen instances; matchers such as `state="idle"` narrow them. */
export function series(metric: string, ...matchers: string[]): string {
  return `${metric}{${[CHOSEN, ...matchers].join(', ')}}`
}

/** A counter's increase a second. */
export function rate(counter: string, ...matchers: string[]): string {
  return `rate(${series(counter, ...matchers)}[$__rate_interval])`
}

/** The sum by these labels, comma-separated; over everything without any. */
export function sum(labels: string, expression: string): string {
  return labels === '' ? `sum(${expression})` : `sum by (${labels}) (${expression})`
}

/** The share of a part, which may have no series, in the whole. */
export function share(part: string, whole: string): string {
  return `(${part} or 0 * ${whole}) / ${whole}`
}

/** The mean of a histogram, in its unit. */
export function mean(labels: string, histogram: string, ...matchers: string[]): string {
  const part = (suffix: string) => sum(labels, rate(`${histogram}_${suffix}`, ...matchers))
  return `${part('sum')} / ${part('count')}`
}

/** A quantile (0 - 1) of a histogram, in its unit. */
export function quantile(q: number, labels: string, histogram: string, ...matchers: string[]): string {
  const by = ['le', labels].filter(Boolean).join(', ')
  return `histogram_quantile(${q}, ${sum(by, rate(`${histogram}_bucket`, ...matchers))})`
}

/** The largest series. */
export function top(count: number, expression: string): string {
  return `topk(${count}, ${expression})`
}
