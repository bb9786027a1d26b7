import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { CreateJobAction, JobAction, JobActionPage, ListQuery } from '#schemas/jobs.ts'
import { ref } from '#schemas/registry.ts'
import * as actions from '#services/operations/job-actions.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', cost: 10, idempotent: true, requires: { maxAge: '10m' } },
      schema: {
        operationId: 'createJobAction',
        tags: ['jobs'],
        summary: 'Retry, cancel or delete jobs',
        description:
          'Jobs whose state allows it; what is worked on stays as it is. Up to 100 jobs are changed at once; more by a ' +
          'job, whose progress `getJobAction` tells. For admins.',
        body: ref(CreateJobAction),
        response: { 201: ref(JobAction) },
      },
    },
    async ({ user, body }, reply) =>
      reply.sendOnce(async (ctx) => {
        const action = await actions.create(ctx, user, body)
        return { location: `/api/v1/operations/job-actions/${action.id}`, body: action }
      }),
  )

  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listJobActions',
        tags: ['jobs'],
        summary: 'List what was done to jobs',
        description: 'Newest first, in pages. For admins.',
        querystring: ListQuery,
        response: { 200: ref(JobActionPage) },
      },
    },
    ({ ctx, user, query }) => actions.list(ctx, user, query),
  )
}

export default routes
