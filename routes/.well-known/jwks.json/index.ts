import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { JsonWebKeySet } from '#schemas/signing-keys.ts'

/** Seconds that others may keep the keys: a new one is published for longer than this before it signs. */
const MAX_AGE = 300

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      schema: {
        operationId: 'getJsonWebKeySet',
        tags: ['auth'],
        summary: 'Read the keys that verify access tokens',
        description:
          'For services that verify access tokens by themselves (RFC 7517): those that sign now, soon, or did ' +
          'lately. A token names its key as `kid`. Empty while tokens are signed with a shared secret.',
        response: { 200: ref(JsonWebKeySet) },
      },
    },
    (_request, reply) => reply.header('cache-control', `public, max-age=${MAX_AGE}`).send(app.tokens.keySet),
  )
}

export default routes
