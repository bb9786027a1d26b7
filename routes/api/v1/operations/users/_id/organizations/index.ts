import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListOrganizationsQuery, OrganizationPage } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import { UserParams } from '#schemas/users.ts'
import * as administration from '#services/organizations/administration.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listAdministeredUserOrganizations',
        tags: ['administration'],
        summary: "List a user's organizations as an admin",
        description: 'Newest first, in pages, with the role that the user has in each. For admins.',
        params: UserParams,
        querystring: ListOrganizationsQuery,
        response: { 200: ref(OrganizationPage) },
      },
    },
    ({ ctx, user, params, query }) => administration.listOfUser(ctx, user, params.id, query),
  )
}

export default routes
