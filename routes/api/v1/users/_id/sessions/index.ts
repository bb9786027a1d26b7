import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { ListSessionsQuery, SessionPage } from '#schemas/sessions.ts'
import { UserParams } from '#schemas/users.ts'
import * as sessions from '#services/sessions/sessions.ts'
import { Forbidden, UserNotFound } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { replica: true, errors: [Forbidden, UserNotFound, InvalidCursor] },
      schema: {
        operationId: 'listUserSessions',
        tags: ['users'],
        summary: "List a user's open sessions",
        description: 'Newest first. For the user and for admins.',
        params: UserParams,
        querystring: ListSessionsQuery,
        response: { 200: ref(SessionPage) },
      },
    },
    ({ ctx, user, sessionId, params, query }) => sessions.list(ctx, { ...user, sessionId }, params.id, query),
  )

  app.delete(
    '',
    {
      config: { forPersonOnly: true, errors: [Forbidden, UserNotFound] },
      schema: {
        operationId: 'endUserSessions',
        tags: ['users'],
        summary: "End a user's sessions",
        description:
          'All of them; of your own, all except the session of this request. For the user and for admins.',
        params: UserParams,
        response: { 204: NoContent('The sessions are ended.') },
      },
    },
    async ({ ctx, user, sessionId, params }, reply) => {
      await sessions.endAll(ctx, user, params.id, sessionId)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
