import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListQuery, SchedulePage } from '#schemas/jobs.ts'
import { ref } from '#schemas/registry.ts'
import * as queues from '#services/operations/queues.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listSchedules',
        tags: ['jobs'],
        summary: 'List the jobs that run by themselves',
        description: 'By the name of their queue, with when they are next. For admins.',
        querystring: ListQuery,
        response: { 200: ref(SchedulePage) },
      },
    },
    ({ ctx, user, query }) => queues.listSchedules(ctx, user, query),
  )
}

export default routes
