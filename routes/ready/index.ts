import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Readiness } from '#schemas/health.ts'
import { ref } from '#schemas/registry.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { probe: true },
      schema: {
        operationId: 'getReadiness',
        tags: ['operations'],
        summary: 'Tell whether the instance takes requests',
        description:
          'For load balancers. The checks are the database, its migrations, and whether the instance is ' +
          'shutting down; their results are cached for a second.',
        response: { 200: ref(Readiness), 503: ref(Readiness) },
      },
    },
    async (_request, reply): Promise<Readiness> => {
      const checks = await app.health.run()
      const ready = checks.every((check) => check.status === 'up')
      reply.code(ready ? 200 : 503)
      return {
        status: ready ? 'ready' : 'not_ready',
        checks,
        version: app.appVersion,
        timestamp: new Date().toISOString(),
      }
    },
  )
}

export default routes
