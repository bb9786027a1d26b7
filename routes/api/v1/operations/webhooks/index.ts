import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { FailingWebhookPage, ListFailingWebhooksQuery } from '#schemas/failing-webhooks.ts'
import { ref } from '#schemas/registry.ts'
import * as administration from '#services/webhooks/administration.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listFailingWebhooks',
        tags: ['administration'],
        summary: 'List webhooks that fail or are disabled',
        description:
          'Of all organizations, newest first, in pages: which host does not answer, and since when. Secrets, the rest of ' +
          'the URL and the messages are shown to members only. For admins.',
        querystring: ListFailingWebhooksQuery,
        response: { 200: ref(FailingWebhookPage) },
      },
    },
    ({ ctx, user, query }) => administration.listFailing(ctx, user, query),
  )
}

export default routes
