import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import type { Tracing } from '#lib/tracing/tracing.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined while traces are off (`tracing.endpoint`). */
    tracing: Tracing | undefined
  }
}

/** Counts the spans that were exported or lost. `app.tracing` itself is there from the start (app.ts). */
export default fp(
  async (app) => {
    const { tracing } = app
    if (!tracing) return
    new Counter({
      name: 'trace_spans_total',
      help: 'Spans of traces by outcome: exported, or lost because the receiver did not take them.',
      labelNames: ['outcome'],
      registers: [app.metrics],
      collect() {
        this.reset()
        for (const [outcome, count] of Object.entries(tracing.counts)) this.inc({ outcome }, count)
      },
    })
  },
  { name: 'tracing', dependencies: ['metrics'] },
)
