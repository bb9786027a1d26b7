import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { HealthSummary } from '#schemas/health-summary.ts'
import { ref } from '#schemas/registry.ts'
import * as health from '#services/operations/health-summary.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', cost: 5 },
      schema: {
        operationId: 'getHealthSummary',
        tags: ['operations'],
        summary: 'Report how the service is',
        description:
          'What an operator looks at first: processes and their versions, load, jobs, mails, events, the last backup and the ' +
          'audit log. For admins.',
        response: { 200: ref(HealthSummary) },
      },
    },
    ({ ctx, user }) => health.summarize(ctx, user),
  )
}

export default routes
