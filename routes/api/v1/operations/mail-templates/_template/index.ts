import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MailPreview, MailTemplateParams } from '#schemas/mails.ts'
import { ref } from '#schemas/registry.ts'
import { MailTemplateNotFound } from '#services/mail/errors.ts'
import * as outbox from '#services/mail/outbox.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [MailTemplateNotFound] },
      schema: {
        operationId: 'previewMail',
        tags: ['mails'],
        summary: 'See what a mail looks like',
        description: 'With invented data; its link leads nowhere. For admins.',
        params: MailTemplateParams,
        response: { 200: ref(MailPreview) },
      },
    },
    ({ ctx, user, params }) => outbox.preview(ctx, user, params.template),
  )
}

export default routes
