import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CurrentSession } from '#schemas/impersonations.ts'
import { ref } from '#schemas/registry.ts'
import * as impersonations from '#services/sessions/impersonations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      schema: {
        operationId: 'getCurrentSession',
        tags: ['auth'],
        summary: 'Read your session',
        description:
          "The session of this request, and the admin who acts in it in the user's place, if one does: clients show a " +
          'banner then.',
        response: { 200: ref(CurrentSession) },
      },
    },
    ({ ctx, sessionId }) => impersonations.current(ctx, sessionId),
  )
}

export default routes
