import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EnqueuedJob, ScheduleParams } from '#schemas/jobs.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import { ScheduleNotFound } from '#services/operations/errors.ts'
import * as queues from '#services/operations/queues.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', errors: [ScheduleNotFound] },
      schema: {
        operationId: 'runScheduleNow',
        tags: ['jobs'],
        summary: 'Run a scheduled job now',
        description: 'Besides the times at which it runs by itself. For admins.',
        params: ScheduleParams,
        body: ref(Justification),
        response: { 202: ref(EnqueuedJob) },
      },
    },
    async ({ ctx, user, params, body }, reply) =>
      reply.code(202).send(await queues.runSchedule(ctx, user, params.queue, body.reason)),
  )
}

export default routes
