import { createHash, timingSafeEqual } from 'node:crypto'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { Unauthenticated } from '#services/authentication/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { environment, metrics } = app.config
  const isOpen = metrics.public || environment === 'development' || environment === 'test'
  if (metrics.token === undefined && !isOpen) return

  const expected = metrics.token === undefined ? undefined : digest(`Bearer ${metrics.token}`)
  app.get(
    '',
    {
      config: { probe: true, ...(expected ? { errors: [Unauthenticated] } : {}) },
      schema: {
        operationId: 'getMetrics',
        tags: ['operations'],
        summary: 'Read the metrics',
        description:
          'For Prometheus, in its text format; while traces are on in the OpenMetrics format too, in which buckets ' +
          'of `http_request_duration_seconds` name a trace (exemplars). With `metrics.token` set it wants that as ' +
          'bearer token; in production there is no such route unless the token or `metrics.public` is set.',
        response: {
          200: {
            description: 'The metrics in the text exposition format.',
            content: {
              'text/plain': { schema: Type.String({ description: 'Metrics, one a line.' }) },
              'application/openmetrics-text': {
                schema: Type.String({ description: 'Metrics, one a line, with exemplars.' }),
              },
            },
          },
        },
      },
    },
    async (request, reply) => {
      // The name of a scheme has no case (RFC 9110 section 11.1).
      const credentials = request.headers.authorization?.replace(/^bearer +/i, 'Bearer ') ?? ''
      if (expected && !timingSafeEqual(digest(credentials), expected)) {
        throw new Unauthenticated({ detail: 'This needs the metrics token: `Authorization: Bearer ...`.' })
      }
      const { contentType, text } = await app.readMetrics(request.headers.accept)
      return reply.type(contentType).send(text)
    },
  )
}

/** Digests are of one length, which a comparison in constant time needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

export default routes
