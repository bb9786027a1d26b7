import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { AuditEntryPage, ListAuditEntriesQuery } from '#schemas/audit.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import * as audit from '#services/audit/audit.ts'
import { AuditFiltersConflict } from '#services/audit/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'audit:read', errors: [InvalidCursor, AuditFiltersConflict] },
      schema: {
        operationId: 'listAuditEntries',
        tags: ['audit'],
        summary: 'List audit entries',
        description:
          'What was done in the organization, newest first, in pages; refusals for lack of rights too. It is searched ' +
          'by one of actor, action and target, together with times.',
        params: OrganizationParams,
        querystring: ListAuditEntriesQuery,
        response: { 200: ref(AuditEntryPage) },
      },
    },
    (request) => audit.list(request.inOrganization(), request.query),
  )
}

export default routes
