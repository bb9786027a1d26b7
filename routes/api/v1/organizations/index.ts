import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import {
  CreateOrganization,
  ListOrganizationsQuery,
  Organization,
  OrganizationPage,
} from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import { OrganizationLimitReached, SlugTaken } from '#services/organizations/errors.ts'
import * as organizations from '#services/organizations/organizations.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { versioned: true, idempotent: true, errors: [OrganizationLimitReached, SlugTaken] },
      schema: {
        operationId: 'createOrganization',
        tags: ['organizations'],
        summary: 'Create an organization',
        description: 'You become its owner. `Location` is its URL.',
        body: ref(CreateOrganization),
        response: { 201: ref(Organization) },
      },
    },
    async ({ user, body }, reply) =>
      reply.sendOnce(async (ctx) => {
        const organization = await organizations.create(ctx, user, body)
        return { location: `/api/v1/organizations/${organization.id}`, body: organization }
      }),
  )

  app.get(
    '',
    {
      config: { errors: [InvalidCursor] },
      schema: {
        operationId: 'listOrganizations',
        tags: ['organizations'],
        summary: 'List your organizations',
        description:
          'Organizations that you are a member of, newest first, in pages; deleted ones if you can restore them.',
        querystring: ListOrganizationsQuery,
        response: { 200: ref(OrganizationPage) },
      },
    },
    ({ ctx, user, query }) => organizations.list(ctx, user, query),
  )
}

export default routes
