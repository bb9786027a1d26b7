import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListMailsQuery, MailPage } from '#schemas/mails.ts'
import { ref } from '#schemas/registry.ts'
import * as outbox from '#services/mail/outbox.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listMails',
        tags: ['mails'],
        summary: 'List mails',
        description:
          'Mails of the last 30 days, newest first, in pages: to whom, and why one did not arrive. Their links are not ' +
          'shown. For admins.',
        querystring: ListMailsQuery,
        response: { 200: ref(MailPage) },
      },
    },
    ({ ctx, user, query }) => outbox.list(ctx, user, query),
  )
}

export default routes
