import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Invitation, InvitationParams } from '#schemas/invitations.ts'
import { ref } from '#schemas/registry.ts'
import { InvitationNotFound, TooManyInvitations } from '#services/invitations/errors.ts'
import * as invitations from '#services/invitations/invitations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'invitations:write',
        forPersonOnly: true,
        cost: 10,
        errors: [InvitationNotFound, TooManyInvitations],
      },
      schema: {
        operationId: 'resendInvitation',
        tags: ['invitations'],
        summary: 'Send an invitation again',
        description: 'Mails another link, which is valid for the whole time again; the link before is void.',
        params: InvitationParams,
        response: { 200: ref(Invitation) },
      },
    },
    (request) => invitations.resend(request.asMember(), request.params.id),
  )
}

export default routes
