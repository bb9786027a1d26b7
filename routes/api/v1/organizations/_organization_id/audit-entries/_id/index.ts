import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditEntryParams, AuditProof } from '#schemas/audit.ts'
import { ref } from '#schemas/registry.ts'
import * as audit from '#services/audit/audit.ts'
import { AuditEntryNotFound } from '#services/audit/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'audit:read', errors: [AuditEntryNotFound] },
      schema: {
        operationId: 'getAuditEntry',
        tags: ['audit'],
        summary: 'Read an audit entry with its proof',
        description:
          'The entry, and what proves that it is in the log: its place in the chain, and the way from there to a ' +
          'signed checkpoint.',
        params: AuditEntryParams,
        response: { 200: ref(AuditProof) },
      },
    },
    (request) => audit.prove(request.inOrganization(), request.ctx, request.params.id),
  )
}

export default routes
