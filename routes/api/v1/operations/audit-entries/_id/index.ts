import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditProof, PlatformAuditEntryParams, PlatformAuditEntryQuery } from '#schemas/audit.ts'
import { ref } from '#schemas/registry.ts'
import * as audit from '#services/audit/audit.ts'
import { AuditEntryNotFound } from '#services/audit/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [AuditEntryNotFound] },
      schema: {
        operationId: 'getPlatformAuditEntry',
        tags: ['operations'],
        summary: "Read one of the service's audit entries with its proof",
        description:
          'The entry, and what proves that it is in the log. One of an organization is found with its ' +
          '`organization_id`, even after the organization is gone. For admins.',
        params: PlatformAuditEntryParams,
        querystring: PlatformAuditEntryQuery,
        response: { 200: ref(AuditProof) },
      },
    },
    ({ ctx, user, params, query }) => audit.provePlatform(ctx, user, params.id, query),
  )
}

export default routes
