import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Impersonation, ImpersonationParams } from '#schemas/impersonations.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import { ImpersonationNotFound } from '#services/sessions/errors.ts'
import * as impersonations from '#services/sessions/impersonations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', errors: [ImpersonationNotFound] },
      schema: {
        operationId: 'stopImpersonation',
        tags: ['administration'],
        summary: "Stop acting in a user's place",
        description:
          'Its tokens and sockets stop working at once. One that has ended stays as it is. For admins.',
        params: ImpersonationParams,
        body: ref(Justification),
        response: { 200: ref(Impersonation) },
      },
    },
    ({ ctx, user, params, body }) => impersonations.stop(ctx, user, params.id, body.reason),
  )
}

export default routes
