import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListInvitationsQuery, ReceivedInvitationPage } from '#schemas/invitations.ts'
import { ref } from '#schemas/registry.ts'
import * as acceptance from '#services/invitations/acceptance.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { errors: [InvalidCursor] },
      schema: {
        operationId: 'listCurrentUserInvitations',
        tags: ['invitations'],
        summary: 'List your invitations',
        description:
          'Invitations to your address, newest first, in pages, each with the token by which to accept or decline it. The ' +
          'list is empty before you have confirmed the address.',
        querystring: ListInvitationsQuery,
        response: { 200: ref(ReceivedInvitationPage) },
      },
    },
    ({ ctx, user, query }) => acceptance.listReceived(ctx, user, query),
  )
}

export default routes
