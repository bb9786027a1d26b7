import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListPlatformAuditEntriesQuery, PlatformAuditEntryPage } from '#schemas/audit.ts'
import { ref } from '#schemas/registry.ts'
import * as audit from '#services/audit/audit.ts'
import { AuditFiltersConflict } from '#services/audit/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor, AuditFiltersConflict] },
      schema: {
        operationId: 'listPlatformAuditEntries',
        tags: ['operations'],
        summary: "List the service's audit entries",
        description:
          'What was done to accounts and to the service, newest first, in pages; with `organization_id`, what was done ' +
          'in that organization; with `admin_id`, what an admin did in all of these logs. It is searched by one of actor, ' +
          'action and target, together with times. For admins.',
        querystring: ListPlatformAuditEntriesQuery,
        response: { 200: ref(PlatformAuditEntryPage) },
      },
    },
    ({ ctx, user, query }) => audit.listPlatform(ctx, user, query),
  )
}

export default routes
