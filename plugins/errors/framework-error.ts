import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { logWhenEnded } from '../request-log.ts'
import { sendProblem } from './index.ts'
import { EARLY_HEADERS } from './problem.ts'

/** Answers URLs that the router can't read. No hook has run, so what hooks do is done here. */
export function answerFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  logWhenEnded(request, reply)
  reply.headers({ ...EARLY_HEADERS, 'x-request-id': request.id })
  const { server } = request
  server.limitRate.call(server, request, reply, (refused) => sendProblem(refused ?? error, request, reply))
}
