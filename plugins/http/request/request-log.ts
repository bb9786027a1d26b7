import { type FastifyRequest, LogController } from 'fastify'
import fp from 'fastify-plugin'
import { HARMLESS, redactText } from '#lib/log/redaction.ts'
import type { Principal } from '#services/authentication/principal.ts'
import type { RequestEnd } from './request-end.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** It was refused for its rate or for overload as others just before: logged at debug, or a flood would fill the log. */
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
    app.onRequestEnd('log', (request, end) => {
      // A probe that answers 503 does its work, and the checks have said why.
      const isQuiet = request.isRepeatedRefusal || (end.probe && request.failure === undefined)
      if (!isQuiet || SHOWS_DEBUG.has(app.log.level)) logRequest(request, end, isQuiet)
    })
  },
  { name: 'request-log', dependencies: ['request-end'] },
)

/** Characters of a path that are logged. */
const MAX_PATH = 200

const SHOWS_DEBUG: ReadonlySet<string> = new Set(['debug', 'trace'])

function logRequest(request: FastifyRequest, end: RequestEnd, isQuiet: boolean): void {
  const { failure, log, principal } = request
  const path = pathOf(request.url)
  const fields = {
    operation: end.operation,
    method: request.method,
    // A route without parameters is ours.
    path: path === end.route ? path : redactText(path),
    status: end.status,
    duration_ms: Math.round(end.milliseconds * 1000) / 1000,
    ...(principal && namesOf(principal)),
    remote_address: end.address,
    // The line of an error has a message that may hold anything.
    [HARMLESS]: !isQuiet && end.status < 500,
  }
  if (isQuiet) log.debug(fields, end.status >= 500 ? 'request refused' : 'request completed')
  else if (end.status >= 500) log.error({ ...fields, err: failure }, 'request failed')
  else log.info(fields, 'request completed')
}

/** The names of who sent it: a key's is its id, and never its text. */
function namesOf(principal: Principal): object {
  if (principal.kind === 'user') return { user_id: principal.user.id }
  return { api_key_id: principal.key.id, organization_id: principal.key.org }
}

/** Not the query string, which may hold what users typed; and the beginning will do. */
function pathOf(url: string): string {
  const query = url.indexOf('?')
  return url.slice(0, Math.min(query === -1 ? url.length : query, MAX_PATH))
}
