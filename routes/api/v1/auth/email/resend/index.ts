import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MailRequest, MailRequested } from '#schemas/one-time-tokens.ts'
import { ref } from '#schemas/registry.ts'
import * as verification from '#services/registration/verification.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { cost: 10, access: 'public' },
      schema: {
        operationId: 'resendVerification',
        tags: ['auth'],
        summary: 'Ask for a new link to confirm an address',
        description:
          'A new link voids the old one. The answer is the same whether or not anything waits for the address.',
        body: ref(MailRequest),
        response: { 202: ref(MailRequested) },
      },
    },
    async (request, reply): Promise<MailRequested> => {
      await verification.resendVerification(request.ctx, request.body.email)
      reply.code(202)
      return { status: 'accepted' }
    },
  )
}

export default routes
