import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListMembersQuery, MemberPage } from '#schemas/members.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import * as members from '#services/members/members.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'members:read', errors: [InvalidCursor] },
      schema: {
        operationId: 'listMembers',
        tags: ['organizations'],
        summary: 'List members',
        description: 'Members of the organization, oldest account first, in pages.',
        params: OrganizationParams,
        querystring: ListMembersQuery,
        response: { 200: ref(MemberPage) },
      },
    },
    (request) => members.list(request.inOrganization(), request.query),
  )
}

export default routes
