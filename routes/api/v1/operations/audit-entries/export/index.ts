import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditEntryLines, ExportPlatformAuditEntriesQuery } from '#schemas/audit.ts'
import * as audit from '#services/audit/audit.ts'
import { AuditFiltersConflict } from '#services/audit/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', cost: 10, errors: [AuditFiltersConflict] },
      schema: {
        operationId: 'exportPlatformAuditEntries',
        tags: ['operations'],
        summary: "Export the service's audit entries",
        description:
          'All entries of `listPlatformAuditEntries` that the filters leave, newest first, as JSON of `AuditEntry`, one ' +
          'a line. Entries that are written meanwhile are not among them. An answer that ends within a line is not ' +
          'whole. For admins.',
        querystring: ExportPlatformAuditEntriesQuery,
        response: { 200: AuditEntryLines },
      },
    },
    async ({ ctx, user, query }, reply) => {
      const lines = audit.exportPlatform(ctx, user, query)
      return reply.type('application/x-ndjson').send(Readable.from(lines))
    },
  )
}

export default routes
