import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EndedSessions, EndSessions } from '#schemas/administered-users.ts'
import { ref } from '#schemas/registry.ts'
import { UserParams } from '#schemas/users.ts'
import * as administration from '#services/sessions/administration.ts'
import { SessionNotFound } from '#services/sessions/errors.ts'
import { UserNotFound } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'operator',
        requires: { maxAge: '10m' },
        errors: [UserNotFound, SessionNotFound],
      },
      schema: {
        operationId: 'endAdministeredUserSessions',
        tags: ['administration'],
        summary: "End a user's sessions as an admin",
        description: 'One, or all but that of this request; their tokens stop working at once. For admins.',
        params: UserParams,
        body: ref(EndSessions),
        response: { 200: ref(EndedSessions) },
      },
    },
    ({ ctx, user, sessionId, params, body }) =>
      administration.endFor(ctx, { ...user, sessionId }, params.id, body),
  )
}

export default routes
