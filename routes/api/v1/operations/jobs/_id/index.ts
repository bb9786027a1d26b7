import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JobDetails, JobParams } from '#schemas/jobs.ts'
import { ref } from '#schemas/registry.ts'
import { JobNotFound } from '#services/operations/errors.ts'
import * as jobs from '#services/operations/listed-jobs.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [JobNotFound] },
      schema: {
        operationId: 'getJob',
        tags: ['jobs'],
        summary: 'Read a job',
        description: 'With what it is about, without secrets. For admins.',
        params: JobParams,
        response: { 200: ref(JobDetails) },
      },
    },
    ({ ctx, user, params }) => jobs.get(ctx, user, params.id),
  )
}

export default routes
