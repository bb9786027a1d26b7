import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Member, TransferOwnership } from '#schemas/members.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import { LastOwner, MemberNotFound } from '#services/members/errors.ts'
import * as members from '#services/members/members.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'ownership:transfer',
        requires: { maxAge: '10m' },
        errors: [MemberNotFound, LastOwner],
      },
      schema: {
        operationId: 'transferOwnership',
        tags: ['organizations'],
        summary: 'Hand an organization over',
        description: 'Another member becomes owner, and you become an admin.',
        params: OrganizationParams,
        body: ref(TransferOwnership),
        response: { 200: ref(Member) },
      },
    },
    (request) => members.transferOwnership(request.asMember(), request.body.user_id),
  )
}

export default routes
