import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { DEAD_LETTER } from '#lib/jobs/jobs.ts'
import type { QueueState } from '#lib/jobs/statistics.ts'
import type { Outcome } from '#lib/jobs/worker.ts'
import { shareWhilePending } from '#lib/metrics/share-while-pending.ts'

/** Seconds; a cleanup of a large table may take minutes. */
const BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300]

/** Our words for pg-boss's states. */
const STATES = { created: 'waiting', retry: 'retrying', active: 'active' } as const

/**
 * Registers the metrics of jobs.
 *
 * @param count is asked at each scrape; when it fails or takes long, the gauges have no values
 * @returns what is to be told of each run, in seconds
 */
export function registerJobMetrics(
  registry: Registry,
  jobs: readonly { readonly name: string }[],
  count: () => Promise<QueueState[]>,
): (queue: string, outcome: Outcome, seconds: number) => void {
  const registers = [registry]
  const queues = [...jobs.map(({ name }) => name), DEAD_LETTER]
  const ask = shareWhilePending(count)

  new Gauge({
    name: 'job_queue_depth',
    help: 'Jobs that are not finished, by queue and state. What is in dead_letter was given up.',
    labelNames: ['queue', 'state'],
    // Every process counts the same table.
    aggregator: 'max',
    registers,
    async collect() {
      this.reset()
      const counts = await ask()
      if (counts === undefined) return
      for (const queue of queues) {
        for (const state of Object.values(STATES)) this.set({ queue, state }, 0)
      }
      for (const { queue, state, jobs } of counts) this.set({ queue, state: STATES[state] }, jobs)
    },
  })
  new Gauge({
    name: 'job_oldest_age_seconds',
    help: 'How long the job that is due longest has waited; 0 when none is due.',
    labelNames: ['queue'],
    // Every process counts the same table.
    aggregator: 'max',
    registers,
    async collect() {
      this.reset()
      const counts = await ask()
      if (counts === undefined) return
      for (const queue of queues) {
        const waiting = counts.filter((row) => row.queue === queue && row.state !== 'active')
        this.set({ queue }, Math.max(0, ...waiting.map(({ oldest_age }) => oldest_age)))
      }
    },
  })
  const runs = new Counter({
    name: 'job_runs_total',
    help: 'Runs of jobs by queue and outcome: completed, retried (failed, and tried again later), dead (given up).',
    labelNames: ['queue', 'outcome'],
    registers,
  })
  const durations = new Histogram({
    name: 'job_duration_seconds',
    help: 'Time that a run of a job took.',
    labelNames: ['queue'],
    buckets: BUCKETS,
    registers,
  })
  return (queue, outcome, seconds) => {
    runs.inc({ queue, outcome })
    durations.observe({ queue }, seconds)
  }
}
