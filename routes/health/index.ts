import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Health } from '#schemas/health.ts'
import { ref } from '#schemas/registry.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { probe: true },
      schema: {
        operationId: 'getHealth',
        tags: ['operations'],
        summary: 'Report the health of the instance',
        description:
          'For operators: the checks of /ready with their latency, and the age of the process. It answers ' +
          'within two seconds, even when the database hangs.',
        response: { 200: ref(Health), 503: ref(Health) },
      },
    },
    async (_request, reply): Promise<Health> => {
      const checks = await app.health.run()
      const healthy = checks.every((check) => check.status === 'up')
      reply.code(healthy ? 200 : 503)
      return {
        status: healthy ? 'healthy' : 'unhealthy',
        checks,
        uptime_seconds: process.uptime(),
        version: app.appVersion,
        timestamp: new Date().toISOString(),
      }
    },
  )
}

export default routes
