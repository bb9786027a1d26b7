import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListQuery } from '#schemas/jobs.ts'
import { MailTemplatePage } from '#schemas/mails.ts'
import { ref } from '#schemas/registry.ts'
import * as outbox from '#services/mail/outbox.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listMailTemplates',
        tags: ['mails'],
        summary: 'List the kinds of mail',
        description: 'By name. For admins.',
        querystring: ListQuery,
        response: { 200: ref(MailTemplatePage) },
      },
    },
    ({ ctx, user, query }) => outbox.listTemplates(ctx, user, query),
  )
}

export default routes
