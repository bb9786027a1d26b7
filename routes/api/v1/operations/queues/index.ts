import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListQuery, QueuePage } from '#schemas/jobs.ts'
import { ref } from '#schemas/registry.ts'
import * as queues from '#services/operations/queues.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', cost: 5, errors: [InvalidCursor] },
      schema: {
        operationId: 'listQueues',
        tags: ['jobs'],
        summary: 'List the queues of jobs',
        description: 'By name, each with how many jobs it holds. For admins.',
        querystring: ListQuery,
        response: { 200: ref(QueuePage) },
      },
    },
    ({ ctx, user, query }) => queues.list(ctx, user, query),
  )
}

export default routes
