import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { publicPath } from '#config/public-url.ts'
import { wantsHtml } from '#lib/html/wants-html.ts'
import { RouteNotFound } from './http-errors.ts'
import { PROBLEM_TYPE, problem, publicError } from './problem.ts'

/** Finds the path that an unknown URL was meant to be; undefined where it is not about what the finder knows. */
type PathFinder = (url: string) => string | undefined

declare module 'fastify' {
  interface FastifyInstance {
    /** Sends browsers from unknown URLs on to the path that is found; programs get the problem document. */
    leadBrowsers(find: PathFinder): void
  }
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
    const finders: PathFinder[] = []
    app.decorate('leadBrowsers', (find) => {
      finders.push(find)
    })
    app.setNotFoundHandler((request, reply) => {
      const isBrowser = request.method === 'GET' && wantsHtml(request.headers.accept)
      const path = isBrowser ? finders.map((find) => find(request.url)).find(Boolean) : undefined
      if (path === undefined) return sendProblem(new RouteNotFound(), request, reply)
      return reply.header('vary', 'accept').redirect(publicPath(app.config.server) + path)
    })
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
