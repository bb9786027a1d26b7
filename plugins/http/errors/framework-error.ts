import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { sendProblem } from './index.ts'
import { EARLY_HEADERS } from './problem.ts'

/** Answers URLs that the router can't read. No hook has run, so what hooks do is done here. */
export function answerFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  request.server.watchRequest(request, reply)
  const { server, headers } = request
  reply.headers({ ...EARLY_HEADERS, ...server.readableBy(headers.origin), 'x-request-id': request.id })
  server.limitRate.call(server, request, reply, (refused) => sendProblem(refused ?? error, request, reply))
}
