import { Counter, Gauge, type Registry } from 'prom-client'
import type { CountingPlace } from './stores.ts'

const KINDS = ['user', 'api_key', 'organization', 'address'] as const
const PLACES = ['memory', 'postgres', 'redis'] as const

/** Metrics of limited requests. */
export interface RateLimitMetrics {
  refused(kind: (typeof KINDS)[number]): void
  decidedAlone(): void
}

/** Registers the metrics of rate limits. */
export function registerRateLimitMetrics(
  registry: Registry,
  current: () => CountingPlace['name'],
): RateLimitMetrics {
  const registers = [registry]
  const refusals = new Counter({
    name: 'rate_limit_refusals_total',
    help: 'Requests that were refused with 429, by whose limit it was.',
    labelNames: ['subject'],
    registers,
  })
  for (const subject of KINDS) refusals.inc({ subject }, 0)
  const alone = new Counter({
    name: 'rate_limit_decisions_alone_total',
    help: 'Requests that this instance decided within its share of the limit, because the store did not answer.',
    registers,
  })
  new Gauge({
    name: 'rate_limit_store',
    help: 'Where requests are counted: 1 for the store that is to be used now.',
    labelNames: ['store'],
    aggregator: 'max',
    registers,
    collect() {
      const name = current()
      for (const store of PLACES) this.set({ store }, store === name ? 1 : 0)
    },
  })
  return {
    refused: (subject) => refusals.inc({ subject }),
    decidedAlone: () => alone.inc(),
  }
}
