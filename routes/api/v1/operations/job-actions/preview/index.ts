import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JobActionPreview, PreviewJobAction } from '#schemas/jobs.ts'
import { ref } from '#schemas/registry.ts'
import * as actions from '#services/operations/job-actions.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', cost: 10 },
      schema: {
        operationId: 'previewJobAction',
        tags: ['jobs'],
        summary: 'Count the jobs of an action',
        description: 'How many jobs `createJobAction` would change; it changes none. For admins.',
        body: ref(PreviewJobAction),
        response: { 200: ref(JobActionPreview) },
      },
    },
    ({ ctx, user, body }) => actions.preview(ctx, user, body),
  )
}

export default routes
