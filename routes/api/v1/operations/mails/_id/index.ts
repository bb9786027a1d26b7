import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MailParams, MailRecord } from '#schemas/mails.ts'
import { ref } from '#schemas/registry.ts'
import { MailNotFound } from '#services/mail/errors.ts'
import * as outbox from '#services/mail/outbox.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [MailNotFound] },
      schema: {
        operationId: 'getMail',
        tags: ['mails'],
        summary: 'Read what became of a mail',
        description: 'For admins.',
        params: MailParams,
        response: { 200: ref(MailRecord) },
      },
    },
    ({ ctx, user, params }) => outbox.get(ctx, user, params.id),
  )
}

export default routes
