import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { SessionParams } from '#schemas/sessions.ts'
import { SessionNotFound } from '#services/sessions/errors.ts'
import * as sessions from '#services/sessions/sessions.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '',
    {
      config: { forPersonOnly: true, errors: [SessionNotFound] },
      schema: {
        operationId: 'endSession',
        tags: ['auth'],
        summary: 'End one of your sessions',
        description: 'Signs that device out: its tokens stop working at once.',
        params: SessionParams,
        response: { 204: NoContent('The session is ended.') },
      },
    },
    async ({ ctx, user, params }, reply) => {
      await sessions.end(ctx, user, user.id, params.id)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
