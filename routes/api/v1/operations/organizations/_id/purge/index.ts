import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AdministeredOrganization,
  AdministeredOrganizationParams,
} from '#schemas/administered-organizations.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import * as administration from '#services/organizations/administration.ts'
import { OrganizationOpen, UnknownOrganization } from '#services/organizations/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'operator',
        requires: { maxAge: '10m' },
        errors: [OrganizationOpen, UnknownOrganization],
      },
      schema: {
        operationId: 'purgeOrganization',
        tags: ['administration'],
        summary: 'Delete an organization for good',
        description:
          'Only one that is deleted or suspended. From now on nobody can restore it, and the hourly job ' +
          '`purge_organizations` deletes all its rows. Read it first: `usage` says how many these are. Who did it is ' +
          'recorded. For admins.',
        params: AdministeredOrganizationParams,
        body: ref(Justification),
        response: { 202: ref(AdministeredOrganization) },
      },
    },
    async ({ ctx, user: { id, role }, sessionId, params, body }, reply) => {
      const purged = await administration.purge(ctx, { id, role, sessionId }, params.id, body.reason)
      return reply.code(202).send(purged)
    },
  )
}

export default routes
