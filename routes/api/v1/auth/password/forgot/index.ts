import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MailRequest, MailRequested } from '#schemas/one-time-tokens.ts'
import { ref } from '#schemas/registry.ts'
import * as recovery from '#services/recovery/recovery.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { cost: 10, access: 'public' },
      schema: {
        operationId: 'forgotPassword',
        tags: ['auth'],
        summary: 'Ask for a link to reset the password',
        description:
          'The answer is the same whether or not there is an account. Sessions continue until the password is reset.',
        body: ref(MailRequest),
        response: { 202: ref(MailRequested) },
      },
    },
    async (request, reply): Promise<MailRequested> => {
      await recovery.forgot(request.ctx, request.body.email)
      reply.code(202)
      return { status: 'accepted' }
    },
  )
}

export default routes
