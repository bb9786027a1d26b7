import { getHeapStatistics } from 'node:v8'
import fp from 'fastify-plugin'
import type { HealthSummary } from '#schemas/health-summary.ts'
import { HealthFeed } from '#services/operations/health-feed.ts'
import type { HealthContext } from '#services/operations/health-summary.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<HealthContext, 'health'> {}
}

/** Adds what only this process knows of itself to the context, for admins. */
export default fp(
  async (app) => {
    function pressure(): HealthSummary['pressure'] {
      const { eventLoopDelay, eventLoopUtilized, heapUsed, rssBytes } = app.memoryUsage()
      return {
        // Neither is known before the first look.
        event_loop_delay_ms: Math.max(0, eventLoopDelay || 0),
        event_loop_utilization: Math.min(Math.max(eventLoopUtilized || 0, 0), 1),
        heap_used_bytes: heapUsed,
        heap_limit_bytes: getHeapStatistics().heap_size_limit,
        rss_bytes: rssBytes,
        is_under_pressure: app.isUnderPressure(),
      }
    }
    app.addContext({
      health: {
        version: app.appVersion,
        instanceId: app.instances.ownId,
        brokerKind: app.config.broker.kind,
        hasMailTransport: () => app.mail.transport !== undefined,
        checks: () => app.health.run(),
        instances: () => app.instances.list(),
        pressure,
      },
    })
    const { role, realtime } = app.config
    if (role === 'web' || realtime.engine === 'none') return
    let feed: HealthFeed | undefined
    app.addHook('onReady', async () => {
      feed = new HealthFeed({ ...app.ctx, log: app.moduleLog('realtime') })
      feed.start()
    })
    app.addHook('onClose', async () => feed?.close())
  },
  {
    name: 'operations',
    dependencies: ['context', 'health', 'instances', 'log-levels', 'mail', 'under-pressure'],
  },
)
