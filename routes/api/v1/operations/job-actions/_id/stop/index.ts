import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JobAction, JobActionParams } from '#schemas/jobs.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import { JobActionNotFound } from '#services/operations/errors.ts'
import * as actions from '#services/operations/job-actions.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', errors: [JobActionNotFound] },
      schema: {
        operationId: 'stopJobAction',
        tags: ['jobs'],
        summary: 'Stop an action on jobs',
        description: 'What it has done stays done. One that has ended stays as it is. For admins.',
        params: JobActionParams,
        body: ref(Justification),
        response: { 200: ref(JobAction) },
      },
    },
    ({ ctx, user, params, body }) => actions.stop(ctx, user, params.id, body.reason),
  )
}

export default routes
