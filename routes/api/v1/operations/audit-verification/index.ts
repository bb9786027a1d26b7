import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditVerification } from '#schemas/health-summary.ts'
import { ref } from '#schemas/registry.ts'
import * as verification from '#services/operations/audit-verification.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getAuditVerification',
        tags: ['operations'],
        summary: 'Report whether the audit log is whole',
        description: 'What waits to be sealed, when the log was verified, and what was found. For admins.',
        response: { 200: ref(AuditVerification) },
      },
    },
    ({ ctx, user }) => verification.get(ctx, user),
  )
}

export default routes
