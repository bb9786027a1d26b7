import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditHead } from '#schemas/audit.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import * as audit from '#services/audit/audit.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'getAuditHead',
        tags: ['audit'],
        summary: 'Read the head of the audit log',
        description:
          "The end of the organization's chain, and the last signed checkpoint over it. A client that keeps it can tell " +
          'later that nothing before it was changed.',
        params: OrganizationParams,
        response: { 200: ref(AuditHead) },
      },
    },
    (request) => audit.head(request.inOrganization()),
  )
}

export default routes
