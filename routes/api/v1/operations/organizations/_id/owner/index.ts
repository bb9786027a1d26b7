import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AdministeredOrganization,
  AdministeredOrganizationParams,
  AppointOwner,
} from '#schemas/administered-organizations.ts'
import { ref } from '#schemas/registry.ts'
import { MemberNotFound } from '#services/members/errors.ts'
import * as administration from '#services/organizations/administration.ts'
import { UnknownOrganization } from '#services/organizations/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'operator',
        requires: { maxAge: '10m' },
        errors: [MemberNotFound, UnknownOrganization],
      },
      schema: {
        operationId: 'appointOrganizationOwner',
        tags: ['administration'],
        summary: 'Appoint an owner of an organization',
        description:
          'Makes a member an owner, also of a suspended organization: for one whose owners are gone or cannot sign in. Who ' +
          'was an owner remains one. Who did it is recorded, in the log of the organization. For admins.',
        params: AdministeredOrganizationParams,
        body: ref(AppointOwner),
        response: { 200: ref(AdministeredOrganization) },
      },
    },
    ({ ctx, user: { id, role }, sessionId, params, body }) =>
      administration.appointOwner(ctx, { id, role, sessionId }, params.id, body),
  )
}

export default routes
