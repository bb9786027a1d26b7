import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { CreateInvitation, Invitation, InvitationPage, ListInvitationsQuery } from '#schemas/invitations.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import { AlreadyInvited, AlreadyMember, TooManyInvitations } from '#services/invitations/errors.ts'
import * as invitations from '#services/invitations/invitations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'invitations:write',
        forPersonOnly: true,
        cost: 10,
        idempotent: true,
        errors: [AlreadyInvited, AlreadyMember, TooManyInvitations],
      },
      schema: {
        operationId: 'createInvitation',
        tags: ['invitations'],
        summary: 'Invite into an organization',
        description:
          'Mails a link to the address, by which its owner accepts or declines; the mail is the same whether or not there ' +
          'is an account. Nobody invites to a role above their own. `Location` is its URL.',
        params: OrganizationParams,
        body: ref(CreateInvitation),
        response: { 201: ref(Invitation) },
      },
    },
    async (request, reply) =>
      reply.sendOnce(async (ctx) => {
        const invitation = await invitations.create(request.asMember(ctx), request.body)
        const { organization_id } = request.params
        const location = `/api/v1/organizations/${organization_id}/invitations/${invitation.id}`
        return { location, body: invitation }
      }),
  )

  app.get(
    '',
    {
      config: { permission: 'invitations:read', errors: [InvalidCursor] },
      schema: {
        operationId: 'listInvitations',
        tags: ['invitations'],
        summary: 'List invitations',
        description:
          'Invitations of the organization that were not answered, newest first, in pages; expired ones for a month more.',
        params: OrganizationParams,
        querystring: ListInvitationsQuery,
        response: { 200: ref(InvitationPage) },
      },
    },
    (request) => invitations.list(request.asMember(), request.query),
  )
}

export default routes
