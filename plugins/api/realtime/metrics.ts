import type { FastifyInstance } from 'fastify'
import { Counter, Gauge } from 'prom-client'
import type { Hub, HubObserver } from '#services/realtime/hub.ts'
import { ENDINGS } from '#services/realtime/protocol.ts'

interface Watched {
  readonly hub: Pick<Hub, 'peers' | 'subscriptions'>
  readonly silenceMs: number
}

const TRANSPORTS = ['websocket', 'sse'] as const

/** Registers the metrics of realtime, and returns who is told for them. */
export function registerMetrics({ metrics }: FastifyInstance, watch: () => Watched): HubObserver {
  const registers = [metrics]
  new Gauge({
    name: 'realtime_connections',
    help: 'Clients that are connected.',
    labelNames: ['transport'],
    registers,
    collect() {
      const counts = { websocket: 0, sse: 0 }
      for (const { transport } of watch().hub.peers) counts[transport]++
      for (const transport of TRANSPORTS) this.set({ transport }, counts[transport])
    },
  })
  new Gauge({
    name: 'realtime_subscriptions',
    help: 'Subscriptions of all connected clients to channels.',
    registers,
    collect() {
      this.set(watch().hub.subscriptions)
    },
  })
  new Gauge({
    name: 'realtime_reader_silence_seconds',
    help: 'Time since this process last read what is published; 0 while nobody has ever listened.',
    aggregator: 'max',
    registers,
    collect() {
      this.set(watch().silenceMs / 1000)
    },
  })
  const ended = new Counter({
    name: 'realtime_connections_ended_total',
    help: 'Connections that ended, by the reason that the client was given.',
    labelNames: ['transport', 'reason'],
    registers,
  })
  for (const { reason } of Object.values(ENDINGS))
    ended.inc({ transport: 'websocket', reason: labelOf(reason) }, 0)
  const delivered = new Counter({
    name: 'realtime_deliveries_total',
    help: 'Messages that were sent to clients, each counted for each client.',
    registers,
  })
  const recoveries = new Counter({
    name: 'realtime_recoveries_total',
    help: 'Subscriptions of clients that returned: those that got what they missed, and those that had to load again.',
    labelNames: ['outcome'],
    registers,
  })
  for (const outcome of ['recovered', 'reload']) recoveries.inc({ outcome }, 0)
  return {
    ended: (transport, { reason }) => ended.inc({ transport, reason: labelOf(reason) }),
    delivered: (messages) => delivered.inc(messages),
    recovered: (outcome) => recoveries.inc({ outcome }),
  }
}

/** A stream that ends for a channel names it, which no label does. */
function labelOf(reason: string): string {
  return (reason.split(':', 1)[0] ?? '').replaceAll(' ', '_')
}
