import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditEntryLines, ExportAuditEntriesQuery } from '#schemas/audit.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import * as audit from '#services/audit/audit.ts'
import { AuditFiltersConflict } from '#services/audit/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'audit:read', cost: 10, errors: [AuditFiltersConflict] },
      schema: {
        operationId: 'exportAuditEntries',
        tags: ['audit'],
        summary: 'Export audit entries',
        description:
          'All entries that the filters leave, newest first, as JSON of `AuditEntry`, one a line. Entries that are ' +
          'written meanwhile are not among them. An answer that ends within a line is not whole.',
        params: OrganizationParams,
        querystring: ExportAuditEntriesQuery,
        response: { 200: AuditEntryLines },
      },
    },
    async (request, reply) => {
      const lines = audit.exportEntries(request.inOrganization(), request.query)
      return reply.type('application/x-ndjson').send(Readable.from(lines))
    },
  )
}

export default routes
