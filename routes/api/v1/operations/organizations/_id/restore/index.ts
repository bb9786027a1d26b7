import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AdministeredOrganization,
  AdministeredOrganizationParams,
} from '#schemas/administered-organizations.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import * as administration from '#services/organizations/administration.ts'
import { OrganizationWithoutOwner, UnknownOrganization } from '#services/organizations/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'operator',
        requires: { maxAge: '10m' },
        errors: [OrganizationWithoutOwner, UnknownOrganization],
      },
      schema: {
        operationId: 'restoreSuspendedOrganization',
        tags: ['administration'],
        summary: 'Restore a suspended organization',
        description:
          'Opens it to its members again. One that is not suspended stays as it is, and one of which no owner can sign in ' +
          'stays closed until `appointOrganizationOwner`. Who did it is recorded. For admins.',
        params: AdministeredOrganizationParams,
        body: ref(Justification),
        response: { 200: ref(AdministeredOrganization) },
      },
    },
    ({ ctx, user: { id, role }, sessionId, params, body: { reason } }) =>
      administration.setSuspended(ctx, { id, role, sessionId }, params.id, { suspended: false, reason }),
  )
}

export default routes
