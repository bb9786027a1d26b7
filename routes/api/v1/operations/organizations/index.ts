import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import {
  AdministeredOrganizationPage,
  ListAdministeredOrganizationsQuery,
} from '#schemas/administered-organizations.ts'
import { ref } from '#schemas/registry.ts'
import * as administration from '#services/organizations/administration.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', cost: 10, errors: [InvalidCursor] },
      schema: {
        operationId: 'listAdministeredOrganizations',
        tags: ['administration'],
        summary: 'List all organizations',
        description:
          'Every organization, newest first, in pages, with how many rows it has in which table; what is in the rows ' +
          'is shown to its members only. With `q`, a page may hold fewer than `limit` while `next_cursor` goes on. ' +
          'For admins.',
        querystring: ListAdministeredOrganizationsQuery,
        response: { 200: ref(AdministeredOrganizationPage) },
      },
    },
    ({ ctx, user, query }) => administration.list(ctx, user, query),
  )
}

export default routes
