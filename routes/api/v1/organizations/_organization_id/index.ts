import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Organization, OrganizationParams, UpdateOrganization } from '#schemas/organizations.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { OrganizationChanged, SlugTaken } from '#services/organizations/errors.ts'
import * as organizations from '#services/organizations/organizations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'organization:read', versioned: 'partly' },
      schema: {
        operationId: 'getOrganization',
        tags: ['organizations'],
        summary: 'Read an organization',
        description: 'With your role in it. `ETag` names its version.',
        params: OrganizationParams,
        response: { 200: ref(Organization) },
      },
    },
    async (request, reply) => reply.sendVersioned(await organizations.get(request.asMember())),
  )

  app.patch(
    '',
    {
      config: {
        permission: 'organization:write',
        versioned: true,
        errors: [OrganizationChanged, SlugTaken],
      },
      schema: {
        operationId: 'updateOrganization',
        tags: ['organizations'],
        summary: 'Change an organization',
        description: 'With `If-Match` the change applies only to the version that the `ETag` names.',
        params: OrganizationParams,
        body: ref(UpdateOrganization),
        response: { 200: ref(Organization) },
      },
    },
    async (request, reply) => {
      const versions = request.expectedVersions()
      return reply.sendVersioned(await organizations.update(request.asMember(), request.body, versions))
    },
  )

  app.delete(
    '',
    {
      config: {
        permission: 'organization:delete',
        requires: { maxAge: '10m' },
        versioned: true,
        errors: [OrganizationChanged],
      },
      schema: {
        operationId: 'deleteOrganization',
        tags: ['organizations'],
        summary: 'Delete an organization',
        description:
          'For its members it is gone at once. An owner can restore it for a time, 30 days unless the service says ' +
          'otherwise; after that all that it had is deleted.',
        params: OrganizationParams,
        response: { 204: NoContent('The organization is deleted.') },
      },
    },
    async (request, reply) => {
      await organizations.remove(request.asMember(), request.expectedVersions())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
