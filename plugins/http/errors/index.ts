import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { RouteNotFound } from './http-errors.ts'
import { PROBLEM_TYPE, problem, publicError } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The error that made the request fail, for the log; undefined while there is none. */
    failure: Error | undefined
    /** Code of the error of ours that was answered with 503; undefined for every other answer. */
    refusal: string | undefined
  }
}

/** Answers every error with a problem document (RFC 9457). */
export default fp(
  async (app) => {
    app.decorateRequest('failure', undefined)
    app.decorateRequest('refusal', undefined)
    app.setErrorHandler(sendProblem)
    app.setNotFoundHandler((request, reply) => sendProblem(new RouteNotFound(), request, reply))
  },
  { name: 'errors' },
)

/** Sends an error; also for the framework's errors before a route is known. */
export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = publicError(thrown)
  const { code, status } = error.definition
  if (status === 503) request.refusal = code
  // Unknown errors arrive wrapped; what they were is what the log wants.
  request.failure = error.cause instanceof Error ? error.cause : error
  if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
  if (status === 401) reply.header('www-authenticate', error.challenge ?? 'Bearer')
  return reply.code(status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem(error, request.id))
}
