import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import fp from 'fastify-plugin'
import { onceEnded, operationOf } from './request-outcome.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked every few seconds by machines: logged at debug, answered under pressure. */
    probe?: boolean
  }
  interface FastifyRequest {
    /** It was refused for its rate as others of its client just before: logged at debug, or a flood would fill the log. */
    isRepeatedRefusal: boolean
  }
}

/** Keeps the framework's own lines about requests out of the log, but not those about its troubles. */
export class QuietRequests extends LogController {
  override incomingRequest(): void {
    // Ours says it at the end.
  }
  override requestCompleted(): void {
    // As above.
  }
}

/**
 * One line for each request, also for those that the client gave up. Error level means that somebody should
 * look, so 4xx are at info.
 */
export default fp(
  async (app) => {
    app.decorateRequest('isRepeatedRefusal', false)
    app.addHook('onRequest', (request, reply, done) => {
      logWhenEnded(request, reply)
      done()
    })
  },
  { name: 'request-log', dependencies: ['errors', 'authentication'] },
)

/** Writes the request's line when it has ended. */
export function logWhenEnded(request: FastifyRequest, reply: FastifyReply): void {
  onceEnded(reply, (status) => logRequest(request, reply, status))
}

function logRequest(request: FastifyRequest, reply: FastifyReply, status: number): void {
  const fields = {
    operation: operationOf(request),
    method: request.method,
    // Not the query string, which may hold what users typed.
    path: request.url.split('?', 1)[0]?.slice(0, 200),
    status,
    duration_ms: Math.round(reply.elapsedTime * 1000) / 1000,
    ...(request.user ? { user_id: request.user.id } : {}),
    remote_address: request.ip,
  }
  const { failure } = request
  const { probe } = request.routeOptions.config
  // A probe that answers 503 does its work, and the checks have said why.
  if (status >= 500 && (failure || !probe)) request.log.error({ ...fields, err: failure }, 'request failed')
  else if ((probe && !failure) || request.isRepeatedRefusal) request.log.debug(fields, 'request completed')
  else request.log.info(fields, 'request completed')
}
