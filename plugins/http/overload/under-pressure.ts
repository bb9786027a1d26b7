import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import fp from 'fastify-plugin'
import { Overloaded } from '#plugins/http/errors/http-errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Read by @fastify/under-pressure in place of its general handler. */
    pressureHandler?: () => void
  }
}

/** Milliseconds between two looks at the event loop and the heap. */
const SAMPLE_INTERVAL_MS = 1000

function letPass(): void {
  // Probes always get an answer.
}

/** Sheds load with 503 while the event loop or the heap is over its limit; probes are still answered. */
export default fp(
  async (app) => {
    const { pressure } = app.config
    app.addHook('onRoute', (route) => {
      if (route.config?.probe) route.config.pressureHandler = letPass
    })
    let refusesFrom = 0
    // The start keeps the loop busy. The last look that counts it is replaced after two intervals.
    app.addHook('onListen', async () => {
      refusesFrom = performance.now() + 2 * SAMPLE_INTERVAL_MS
    })
    const retryAfter = Math.ceil(pressure.retry_after / 1000)
    await app.stepOf('pressure', () =>
      app.register(underPressure, {
        sampleInterval: SAMPLE_INTERVAL_MS,
        pressureHandler: async () => {
          if (performance.now() >= refusesFrom) throw new Overloaded({ retryAfter })
        },
        maxEventLoopDelay: pressure.max_event_loop_delay,
        // 1 is never exceeded, which is how it is switched off.
        maxEventLoopUtilization: pressure.max_event_loop_utilization,
        eventLoopUtilizationMode: 'interval',
        maxHeapUsedBytes: Math.floor(getHeapStatistics().heap_size_limit * pressure.max_heap_utilization),
      }),
    )
  },
  { name: 'under-pressure' },
)
