import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Invitation, InvitationParams } from '#schemas/invitations.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { InvitationNotFound } from '#services/invitations/errors.ts'
import * as invitations from '#services/invitations/invitations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'invitations:read', errors: [InvitationNotFound] },
      schema: {
        operationId: 'getInvitation',
        tags: ['invitations'],
        summary: 'Read an invitation',
        description: 'One that was accepted, declined or deleted is gone.',
        params: InvitationParams,
        response: { 200: ref(Invitation) },
      },
    },
    (request) => invitations.get(request.asMember(), request.params.id),
  )

  app.delete(
    '',
    {
      config: { permission: 'invitations:write', errors: [InvitationNotFound] },
      schema: {
        operationId: 'deleteInvitation',
        tags: ['invitations'],
        summary: 'Revoke an invitation',
        description: 'The link in its mail is void. Nobody revokes an invitation to a role above their own.',
        params: InvitationParams,
        response: { 204: NoContent('The invitation is revoked.') },
      },
    },
    async (request, reply) => {
      await invitations.remove(request.asMember(), request.params.id)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
