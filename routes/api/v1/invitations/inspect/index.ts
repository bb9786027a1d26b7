import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InspectedInvitation, InvitationToken } from '#schemas/invitations.ts'
import { ref } from '#schemas/registry.ts'
import * as acceptance from '#services/invitations/acceptance.ts'
import { InvitationNotFound } from '#services/invitations/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'public', errors: [InvitationNotFound] },
      schema: {
        operationId: 'inspectInvitation',
        tags: ['invitations'],
        summary: 'Read an invitation by its token',
        description:
          'Tells the receiver of the mail which organization invites, and what `acceptInvitation` needs. Changes ' +
          'nothing.',
        body: ref(InvitationToken),
        response: { 200: ref(InspectedInvitation) },
      },
    },
    ({ ctx, body }) => acceptance.inspect(ctx, body.token),
  )
}

export default routes
