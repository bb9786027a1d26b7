import { Histogram as LabelledHistogram, type Registry } from 'prom-client'

/** One combination of labels. */
export interface Series {
  /**
   * @param value finite, in the histogram's unit
   * @param traceId of the trace that shows what took so long: the exemplar of its bucket, until the next
   */
  observe(value: number, traceId?: string): void
}

interface Options {
  readonly name: string
  readonly help: string
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[]
  readonly registers: Registry[]
}

type Labels = Readonly<Record<string, string | number>>

/** One observation of a bucket, as prom-client writes it in the OpenMetrics format. */
interface Exemplar {
  readonly labelSet: { readonly trace_id: string }
  readonly value: number
  /** Seconds since 1970. */
  readonly timestamp: number
}

/**
 * A histogram for what happens at each request. prom-client looks labels up and checks them at each observation
 * (docs/decisions/047); here the observer keeps the series, so an observation costs a few additions.
 */
export class Histogram extends LabelledHistogram {
  readonly #options: Options
  readonly #series: CountedSeries[] = []

  constructor(options: Options) {
    super({ ...options, buckets: [...options.buckets] })
    this.#options = options
  }

  /** Creates the series of these labels, which the caller keeps: two calls return two series. */
  series(labels: Labels): Series {
    const series = new CountedSeries(labels, this.#options.buckets)
    this.#series.push(series)
    return series
  }

  /** prom-client's own values, which its declarations leave out: what its `get` and the exposition are made of. */
  async getForPromString() {
    const { name, help } = this.#options
    const values = this.#series.flatMap((series) => series.values(name))
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }
}

class CountedSeries implements Series {
  readonly #labels: Labels
  readonly #buckets: readonly number[]
  /** Observations in each bucket alone, and beyond all buckets. */
  readonly #counts: number[]
  /** The latest of each bucket. */
  readonly #exemplars: (Exemplar | undefined)[] = []
  #sum = 0

  constructor(labels: Labels, buckets: readonly number[]) {
    this.#labels = labels
    this.#buckets = buckets
    this.#counts = Array.from({ length: buckets.length + 1 }, () => 0)
  }

  observe(value: number, traceId?: string): void {
    let index = 0
    while (index < this.#buckets.length && value > (this.#buckets[index] ?? 0)) index++
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += value
    if (traceId === undefined) return
    this.#exemplars[index] = { labelSet: { trace_id: traceId }, value, timestamp: Date.now() / 1000 }
  }

  /** Buckets are cumulative in the exposition format. */
  values(name: string) {
    const sharedLabels = this.#labels
    let count = 0
    const buckets = [...this.#buckets, '+Inf'].map((le, index) => {
      count += this.#counts[index] ?? 0
      const exemplar = this.#exemplars[index]
      const bucket = { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: count }
      return exemplar ? { ...bucket, exemplar } : bucket
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: this.#sum },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
    ]
  }
}
