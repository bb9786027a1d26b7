import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { OrganizationParams } from '#schemas/organizations.ts'
import { NoContent } from '#schemas/primitives.ts'
import { LastOwner, MemberNotFound } from '#services/members/errors.ts'
import * as members from '#services/members/members.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { permission: 'organization:leave', forPersonOnly: true, errors: [LastOwner, MemberNotFound] },
      schema: {
        operationId: 'leaveOrganization',
        tags: ['organizations'],
        summary: 'Leave an organization',
        description: 'You are no longer a member. The last owner cannot leave.',
        params: OrganizationParams,
        response: { 204: NoContent('You have left the organization.') },
      },
    },
    async (request, reply) => {
      await members.leave(request.asMember())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
