import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ChangeLogLevels, LogLevels } from '#schemas/log-levels.ts'
import { ref } from '#schemas/registry.ts'
import * as changes from '#services/operations/log-level.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getLogLevels',
        tags: ['operations'],
        summary: 'Read what is logged',
        description: 'The levels of the log of the instance that answers. For admins.',
        response: { 200: ref(LogLevels) },
      },
    },
    async () => app.logLevels.current,
  )

  app.put(
    '',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'changeLogLevels',
        tags: ['operations'],
        summary: 'Change what is logged',
        description:
          'For admins. Sets all levels of the instance that answers, of all its workers, until they are set ' +
          'again or it is restarted; other instances are not changed. Who did it is recorded.',
        body: ref(ChangeLogLevels),
        response: { 200: ref(LogLevels) },
      },
    },
    async ({ ctx, user, sessionId, body }) =>
      changes.change(ctx, { id: user.id, sessionId }, body, app.changeLogLevels),
  )
}

export default routes
