import fp from 'fastify-plugin'
import { isOverload } from '#plugins/http/overload/refusals.ts'

/** Records the error of every request that ended with 5xx, except overload. */
export default fp(
  async (app) => {
    app.onRequestEnd('errors', (request, { status, operation }) => {
      // Overload has its own metric and alert; a stack says nothing about it.
      if (status < 500 || !request.failure || isOverload(request)) return
      app.recordError(request.failure, {
        operation,
        level: 'error',
        status,
        requestId: request.id,
        span: request.span,
      })
    })
  },
  { name: 'request-errors', dependencies: ['error-reports', 'request-end'] },
)
