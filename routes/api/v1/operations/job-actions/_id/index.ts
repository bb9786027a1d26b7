import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JobAction, JobActionParams } from '#schemas/jobs.ts'
import { ref } from '#schemas/registry.ts'
import { JobActionNotFound } from '#services/operations/errors.ts'
import * as actions from '#services/operations/job-actions.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [JobActionNotFound] },
      schema: {
        operationId: 'getJobAction',
        tags: ['jobs'],
        summary: 'Read how far an action on jobs is',
        description: 'For admins.',
        params: JobActionParams,
        response: { 200: ref(JobAction) },
      },
    },
    ({ ctx, user, params }) => actions.get(ctx, user, params.id),
  )
}

export default routes
