import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { ListSessionsQuery, SessionPage } from '#schemas/sessions.ts'
import * as sessions from '#services/sessions/sessions.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { replica: true, errors: [InvalidCursor] },
      schema: {
        operationId: 'listCurrentUserSessions',
        tags: ['auth'],
        summary: 'List your open sessions',
        description: 'Newest first; the session of this request is marked.',
        querystring: ListSessionsQuery,
        response: { 200: ref(SessionPage) },
      },
    },
    ({ ctx, user, sessionId, query }) => sessions.list(ctx, { ...user, sessionId }, user.id, query),
  )

  app.delete(
    '',
    {
      config: { forPersonOnly: true },
      schema: {
        operationId: 'endOtherSessions',
        tags: ['auth'],
        summary: 'End all your other sessions',
        description: 'Signs out every device except the one that sends this request.',
        response: { 204: NoContent('The other sessions are ended.') },
      },
    },
    async ({ ctx, user, sessionId }, reply) => {
      await sessions.endAll(ctx, user, user.id, sessionId)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
