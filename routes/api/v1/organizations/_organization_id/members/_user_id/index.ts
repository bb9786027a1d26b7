import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Member, MemberParams, UpdateMember } from '#schemas/members.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { LastOwner, MemberChanged, MemberNotFound } from '#services/members/errors.ts'
import * as members from '#services/members/members.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'members:read', versioned: 'partly', errors: [MemberNotFound] },
      schema: {
        operationId: 'getMember',
        tags: ['organizations'],
        summary: 'Read a member',
        description: '`ETag` names the version of the membership.',
        params: MemberParams,
        response: { 200: ref(Member) },
      },
    },
    async (request, reply) =>
      reply.sendVersioned(await members.get(request.inOrganization(), request.params.user_id)),
  )

  app.patch(
    '',
    {
      config: {
        permission: 'members:write',
        forPersonOnly: true,
        versioned: true,
        errors: [MemberNotFound, MemberChanged, LastOwner],
      },
      schema: {
        operationId: 'updateMember',
        tags: ['organizations'],
        summary: "Change a member's role",
        description:
          'Only owners change owners, and nobody grants a role above their own. It takes effect within a second.',
        params: MemberParams,
        body: ref(UpdateMember),
        response: { 200: ref(Member) },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const versions = request.expectedVersions()
      const ctx = request.asMember()
      return reply.sendVersioned(await members.update(ctx, params.user_id, body.role, versions))
    },
  )

  app.delete(
    '',
    {
      config: {
        permission: 'members:write',
        forPersonOnly: true,
        versioned: true,
        errors: [MemberNotFound, MemberChanged, LastOwner],
      },
      schema: {
        operationId: 'removeMember',
        tags: ['organizations'],
        summary: 'Remove a member',
        description: 'Only owners remove owners. It takes effect within a second.',
        params: MemberParams,
        response: { 204: NoContent('The member is removed.') },
      },
    },
    async (request, reply) => {
      await members.remove(request.asMember(), request.params.user_id, request.expectedVersions())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
