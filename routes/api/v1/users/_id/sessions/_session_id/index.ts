import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { UserSessionParams } from '#schemas/sessions.ts'
import { SessionNotFound } from '#services/sessions/errors.ts'
import * as sessions from '#services/sessions/sessions.ts'
import { Forbidden, UserNotFound } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '',
    {
      config: { forPersonOnly: true, errors: [Forbidden, UserNotFound, SessionNotFound] },
      schema: {
        operationId: 'endUserSession',
        tags: ['users'],
        summary: 'End a session of a user',
        description: 'Its tokens stop working at once. For the user and for admins.',
        params: UserSessionParams,
        response: { 204: NoContent('The session is ended.') },
      },
    },
    async ({ ctx, user, params }, reply) => {
      await sessions.end(ctx, user, params.id, params.session_id)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
