import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { SessionNotFound } from '#services/sessions/errors.ts'
import * as sessions from '#services/sessions/sessions.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { errors: [SessionNotFound] },
      schema: {
        operationId: 'logout',
        tags: ['auth'],
        summary: 'Sign out',
        description: 'Ends the session that the access token belongs to, and every token of it.',
        response: { 204: NoContent('The session is ended.') },
      },
    },
    async ({ ctx, user, sessionId }, reply) => {
      await sessions.end(ctx, user, user.id, sessionId)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
