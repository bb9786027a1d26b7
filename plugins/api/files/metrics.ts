import { Counter, Gauge, type Registry } from 'prom-client'
import { shareWhilePending } from '#lib/metrics/share-while-pending.ts'
import { SCAN_OUTCOMES, type ScanOutcome } from '#services/files/context.ts'

/**
 * Registers the metrics of the malware scanner.
 *
 * @param longestWait is asked at each scrape; when it fails or takes long, the gauge has no value
 * @returns what is to be told of each content
 */
export function registerScanMetrics(
  registry: Registry,
  longestWait: () => Promise<number>,
): (outcome: ScanOutcome) => void {
  const ask = shareWhilePending(longestWait)
  new Gauge({
    name: 'file_scan_oldest_age_seconds',
    help: 'How long the content has waited for the malware scanner that waits longest; 0 when none does.',
    // Every process asks the same table.
    aggregator: 'max',
    registers: [registry],
    async collect() {
      this.reset()
      const seconds = await ask()
      if (seconds !== undefined) this.set(seconds)
    },
  })
  const counter = new Counter({
    name: 'file_scans_total',
    help: 'Contents that were to be scanned, by what became of them; `failed` is tried again, `passed` and `held` were not scanned.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  for (const outcome of SCAN_OUTCOMES) counter.inc({ outcome }, 0)
  return (outcome) => counter.inc({ outcome })
}
