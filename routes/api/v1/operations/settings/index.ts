import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ref } from '#schemas/registry.ts'
import { ListSettingsQuery, SettingPage } from '#schemas/settings.ts'
import * as settings from '#services/operations/settings.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listSettings',
        tags: ['operations'],
        summary: 'List the settings',
        description:
          'Those of the process that answers, with where each value came from; of secrets only whether they are set. For admins.',
        querystring: ListSettingsQuery,
        response: { 200: ref(SettingPage) },
      },
    },
    ({ ctx, user, query }) => settings.list(ctx, user, query),
  )
}

export default routes
