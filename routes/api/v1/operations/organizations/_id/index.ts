import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AdministeredOrganization,
  AdministeredOrganizationParams,
} from '#schemas/administered-organizations.ts'
import { ref } from '#schemas/registry.ts'
import * as administration from '#services/organizations/administration.ts'
import { UnknownOrganization } from '#services/organizations/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [UnknownOrganization] },
      schema: {
        operationId: 'getAdministeredOrganization',
        tags: ['administration'],
        summary: 'Read an organization as an admin',
        description:
          'How much it has, by table (`memberships` are its members), and whether it is open to its members; what is in ' +
          'the rows is shown to these only. For admins.',
        params: AdministeredOrganizationParams,
        response: { 200: ref(AdministeredOrganization) },
      },
    },
    ({ ctx, user, params }) => administration.get(ctx, user, params.id),
  )
}

export default routes
