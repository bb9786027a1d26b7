import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { JobPage, ListJobsQuery } from '#schemas/jobs.ts'
import { ref } from '#schemas/registry.ts'
import * as jobs from '#services/operations/listed-jobs.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', cost: 5, errors: [InvalidCursor] },
      schema: {
        operationId: 'listJobs',
        tags: ['jobs'],
        summary: 'List jobs',
        description:
          'Jobs that wait, run or are dead: those that are due longest first; jobs that are done: the last first; without a ' +
          'state: the newest first. A search looks at some thousands of jobs, so a page may hold fewer than `limit`, or ' +
          'none, while `next_cursor` goes on. For admins.',
        querystring: ListJobsQuery,
        response: { 200: ref(JobPage) },
      },
    },
    ({ ctx, user, query }) => jobs.list(ctx, user, query),
  )
}

export default routes
