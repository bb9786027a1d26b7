import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { type MetricData, readRegistry } from '../metric-data.ts'

/**
 * Adds up the metrics of processes that come and go. Counters never fall: what a process had counted stays
 * when it has ended, else Prometheus would take the fall for a restart and count everything again. One that
 * does not answer counts with what it said last.
 */
export class GroupMetrics<Process extends object> {
  readonly #latest = new Map<Process, MetricData[]>()
  #ended: Promise<MetricData[]> = Promise.resolve([])
  /** Memory, processor time and so on of the process that does the adding. */
  readonly #own = new Registry()

  constructor() {
    collectDefaultMetrics({ register: this.#own })
  }

  /** Stores a process' latest report. */
  update(member: Process, metrics: MetricData[]): void {
    this.#latest.set(member, metrics)
  }

  /** The process has ended: its counts stay, its gauges go. */
  retire(member: Process): void {
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
