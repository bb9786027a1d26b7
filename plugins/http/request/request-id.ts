import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import fp from 'fastify-plugin'

/** Longest request id of a caller that is kept. */
const MAX_LENGTH = 128

/** A caller's own request id is kept when it is a token that can't do harm in a log or a header, and no JWT. */
const SANE_REQUEST_ID = /^(?!.*eyJ)[\w.-]+$/i

/** Returns the id of a request with these headers. */
export function requestIdOf({ 'x-request-id': own }: IncomingHttpHeaders): string {
  return typeof own === 'string' && own.length <= MAX_LENGTH && SANE_REQUEST_ID.test(own) ? own : randomUUID()
}

/** Every response names its request. */
export default fp(
  async (app) => {
    app.step('request id', (request, reply, done) => {
      reply.header('x-request-id', request.id)
      done()
    })
  },
  { name: 'request-id' },
)
