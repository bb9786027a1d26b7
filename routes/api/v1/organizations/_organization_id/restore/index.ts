import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Organization, OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import * as organizations from '#services/organizations/organizations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { permission: 'organization:restore', versioned: true },
      schema: {
        operationId: 'restoreOrganization',
        tags: ['organizations'],
        summary: 'Restore a deleted organization',
        description: 'Takes its deletion back, with all that it had. One that is not deleted stays as it is.',
        params: OrganizationParams,
        response: { 200: ref(Organization) },
      },
    },
    async (request, reply) => reply.sendVersioned(await organizations.restore(request.asMember())),
  )
}

export default routes
