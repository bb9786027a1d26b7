import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MailParams, MailRecord } from '#schemas/mails.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import { MailNotFound, MailNotResendable } from '#services/mail/errors.ts'
import * as outbox from '#services/mail/outbox.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'operator',
        idempotent: true,
        requires: { maxAge: '10m' },
        errors: [MailNotFound, MailNotResendable],
      },
      schema: {
        operationId: 'resendMail',
        tags: ['mails'],
        summary: 'Send a mail again',
        description:
          'As a new mail; one that has not been sent yet is replaced by it. A link that has ended is not sent again. For admins.',
        params: MailParams,
        body: ref(Justification),
        response: { 201: ref(MailRecord) },
      },
    },
    async ({ user, params, body }, reply) =>
      reply.sendOnce(async (ctx) => {
        const mail = await outbox.resend(ctx, user, params.id, body.reason)
        return { location: `/api/v1/operations/mails/${mail.id}`, body: mail }
      }),
  )
}

export default routes
