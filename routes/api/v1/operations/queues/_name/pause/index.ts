import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Queue, QueueParams } from '#schemas/jobs.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import { QueueNotFound } from '#services/operations/errors.ts'
import * as queues from '#services/operations/queues.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', requires: { maxAge: '10m' }, errors: [QueueNotFound] },
      schema: {
        operationId: 'pauseQueue',
        tags: ['jobs'],
        summary: 'Pause a queue',
        description:
          'No worker begins one of its jobs any more, within a second; what has begun is finished. For admins.',
        params: QueueParams,
        body: ref(Justification),
        response: { 200: ref(Queue) },
      },
    },
    ({ ctx, user, params, body: { reason } }) =>
      queues.setPaused(ctx, user, params.name, { paused: true, reason }),
  )
}

export default routes
