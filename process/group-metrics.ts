import { type Aggregator, AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'

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

/**
 * Adds up the metrics of processes that come and go. Counters never fall: what a process had counted stays
 * when it has ended, else Prometheus would take the fall for a restart and count everything again. One that
 * does not answer counts with what it said last.
 */
export class GroupMetrics<Member extends object> {
  readonly #latest = new Map<Member, MetricData[]>()
  #ended: Promise<MetricData[]> = Promise.resolve([])
  /** Memory, processor time and so on of the process that does the adding. */
  readonly #own = new Registry()

  constructor() {
    collectDefaultMetrics({ register: this.#own })
  }

  /** Stores a process' latest report. */
  update(member: Member, metrics: MetricData[]): void {
    this.#latest.set(member, metrics)
  }

  /** The process has ended: its counts stay, its gauges go. */
  retire(member: Member): void {
    const counts = (this.#latest.get(member) ?? []).filter(isCumulative)
    this.#latest.delete(member)
    this.#ended = this.#ended.then(async (ended) =>
      readRegistry(AggregatorRegistry.aggregate([ended, counts])),
    )
  }

  /** The text for Prometheus. */
  async read(): Promise<string> {
    const own = await readRegistry(this.#own)
    let asked: Promise<MetricData[]>
    let ended: MetricData[]
    // A process that ends meanwhile must be in one of the two.
    do {
      asked = this.#ended
      ended = await asked
    } while (asked !== this.#ended)
    const members = [...this.#latest.values()]
    const known = new Set(members.flat().map(({ name }) => name))
    const shown = own.filter(({ name }) => known.has(name))
    return AggregatorRegistry.aggregate([ended, ...members, shown]).metrics()
  }
}

function isCumulative({ type }: MetricData): boolean {
  return type === 'counter' || type === 'histogram' || type === 'summary'
}
