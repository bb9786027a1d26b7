import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ref } from '#schemas/registry.ts'
import { ListSessionsQuery, SessionPage } from '#schemas/sessions.ts'
import { UserParams } from '#schemas/users.ts'
import * as sessions from '#services/sessions/sessions.ts'
import { UserNotFound } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [UserNotFound, InvalidCursor] },
      schema: {
        operationId: 'listAdministeredUserSessions',
        tags: ['administration'],
        summary: "List a user's open sessions as an admin",
        description: 'Newest first. For admins.',
        params: UserParams,
        querystring: ListSessionsQuery,
        response: { 200: ref(SessionPage) },
      },
    },
    ({ ctx, user, sessionId, params, query }) => sessions.list(ctx, { ...user, sessionId }, params.id, query),
  )
}

export default routes
