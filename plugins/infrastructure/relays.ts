import fp from 'fastify-plugin'
import { Counter, Gauge } from 'prom-client'
import { shareWhilePending } from '#lib/metrics/share-while-pending.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { findSinks } from '#services/events/find-sinks.ts'
import type { EventsContext } from '#services/events/jobs.ts'
import { oldestAge } from '#services/events/oldest-age.ts'
import { Relay } from '#services/events/relay.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<EventsContext, 'events'> {}
}

/**
 * Brings events to their sinks (services/events/): every role emits, all but `web` pass on. The instance that emits pokes
 * its own relays; the others look for themselves.
 */
export default fp(
  async (app) => {
    app.addContext({ events: { retentionMs: app.config.events.retention } })
    const registers = [app.metrics]
    const taken = new Counter({
      name: 'events_relayed_total',
      help: 'Events that a sink took.',
      labelNames: ['sink'],
      registers,
    })
    const failures = new Counter({
      name: 'events_relay_failures_total',
      help: 'Attempts to pass on events that failed; the events wait.',
      labelNames: ['sink'],
      registers,
    })
    const sinks = await findSinks<AppContext>()
    const ages = sinks.map((sink) => ({
      ...sink,
      age: shareWhilePending(() => oldestAge(app.ctx, sink.column)),
    }))
    new Gauge({
      name: 'events_oldest_age_seconds',
      help: 'How long the oldest event that a sink has not taken has waited; 0 when none waits.',
      labelNames: ['sink'],
      // Every process asks about the same table.
      aggregator: 'max',
      registers,
      async collect() {
        this.reset()
        for (const { name, isUsed, age: ask } of ages) {
          const age = isUsed(app.ctx) ? await ask() : undefined
          if (age !== undefined) this.set({ sink: name }, age)
        }
      },
    })

    const relays: Relay<AppContext>[] = []
    app.onEmitted(() => {
      for (const relay of relays) relay.poke()
    })
    app.addHook('onReady', async () => {
      if (app.config.role === 'web') return
      for (const sink of sinks.filter(({ isUsed }) => isUsed(app.ctx))) {
        const { name } = sink
        taken.inc({ sink: name }, 0)
        failures.inc({ sink: name }, 0)
        const relay = new Relay(sink, {
          ctx: app.ctx,
          log: app.moduleLog('jobs'),
          taken: (count) => taken.inc({ sink: name }, count),
          failed: () => failures.inc({ sink: name }),
        })
        relays.push(relay)
        relay.start()
      }
    })
    app.addHook('preClose', () => {
      void Promise.all(relays.map((relay) => relay.close()))
    })
    app.addHook('onClose', async () => {
      await Promise.all(relays.map((relay) => relay.close()))
    })
  },
  { name: 'relays', dependencies: ['broker', 'context', 'database', 'log-levels', 'metrics', 'migrations'] },
)
