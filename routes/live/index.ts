import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Liveness } from '#schemas/health.ts'
import { ref } from '#schemas/registry.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { probe: true },
      schema: {
        operationId: 'getLiveness',
        tags: ['operations'],
        summary: 'Tell whether the process is alive',
        description:
          'For orchestrators that restart what hangs. It touches nothing else, not even the database.',
        response: { 200: ref(Liveness) },
      },
    },
    (): Liveness => ({ status: 'alive', version: app.appVersion, timestamp: new Date().toISOString() }),
  )
}

export default routes
