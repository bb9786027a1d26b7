import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EventTypeList } from '#schemas/event-types.ts'
import { ref } from '#schemas/registry.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      schema: {
        operationId: 'listEventTypes',
        tags: ['events'],
        summary: 'List the kinds of events',
        description: 'What webhooks can ask for, with the schema of what each says.',
        response: { 200: ref(EventTypeList) },
      },
    },
    async () => ({ data: [...app.eventTypes] }),
  )
}

export default routes
