import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { QuarantinedFileParams } from '#schemas/administered-files.ts'
import { Justification } from '#schemas/operations.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { FileNotQuarantined } from '#services/files/errors.ts'
import * as quarantine from '#services/files/quarantine.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', requires: { maxAge: '10m' }, errors: [FileNotQuarantined] },
      schema: {
        operationId: 'releaseQuarantinedFile',
        tags: ['administration'],
        summary: 'Release a file from quarantine',
        description:
          'Its content can be read again, whatever was found in it; another content is scanned as any. Who did it is ' +
          'recorded. For admins.',
        params: QuarantinedFileParams,
        body: ref(Justification),
        response: { 204: NoContent('The file is released.') },
      },
    },
    async ({ ctx, user, params, body }, reply) => {
      await quarantine.release(ctx, user, params.id, body.reason)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
