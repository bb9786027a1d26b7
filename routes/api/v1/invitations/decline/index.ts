import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvitationToken } from '#schemas/invitations.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import * as acceptance from '#services/invitations/acceptance.ts'
import { InvitationNotFound } from '#services/invitations/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'public', errors: [InvitationNotFound] },
      schema: {
        operationId: 'declineInvitation',
        tags: ['invitations'],
        summary: 'Decline an invitation',
        description: 'The invitation is gone; the organization can send another.',
        body: ref(InvitationToken),
        response: { 204: NoContent('The invitation is declined.') },
      },
    },
    async ({ ctx, body }, reply) => {
      await acceptance.decline(ctx, body.token)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
