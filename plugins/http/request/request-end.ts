import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { REQUEST_END_STEPS, type RequestEndStep } from '#plugins/http/order.ts'

/** How a request ended. */
export interface RequestEnd {
  /** Status of the response; 499 if the client left before it was sent. */
  readonly status: number
  /** The operation, from the closed set of ours. */
  readonly operation: string
  /** The route's URL, with the names of its parameters; undefined when there is no such route. */
  readonly route: string | undefined
  /** Whether it was one of the routes that machines ask every few seconds. */
  readonly probe: boolean
  readonly milliseconds: number
  /** Address of the client; undefined if it had left before its request was examined. */
  readonly address: string | undefined
}

export type RequestEndListener = (request: FastifyRequest, end: RequestEnd) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** Has the listener called when a request has ended, however that was; onResponse is not called for aborts. */
    onRequestEnd(step: RequestEndStep, listener: RequestEndListener): void
    /** Watches a request that no hook sees. */
    watchRequest(request: FastifyRequest, reply: FastifyReply): void
    /** How many requests have begun and not ended. */
    requestsInFlight(): number
  }
  interface FastifyContextConfig {
    /** Asked every few seconds by machines: logged at debug, answered under pressure. */
    probe?: boolean
  }
}

/** The status that logs and metrics have for requests whose client left before the answer was sent. */
const CLIENT_CLOSED_REQUEST = 499

/** Tells metrics and log of the end of requests. One listener for both, because each one costs time at every request. */
export default fp(
  async (app) => {
    const offered = new Map<RequestEndStep, RequestEndListener>()
    let listeners: RequestEndListener[] = []
    let inFlight = 0
    app.decorate('requestsInFlight', () => inFlight)
    app.decorate('onRequestEnd', (step, listener) => {
      offered.set(step, listener)
      listeners = REQUEST_END_STEPS.flatMap((name) => offered.get(name) ?? [])
    })
    app.decorate('watchRequest', (request, reply) => {
      inFlight++
      const { raw } = reply
      // Asked now, for a socket that is gone has no address.
      const address = app.clientAddress(request)
      let sent = false
      let ended = false
      const end = () => {
        if (ended) return
        ended = true
        inFlight--
        const outcome = endOf(request, reply, { sent, address })
        for (const listener of listeners) listener(request, outcome)
      }
      raw.on('finish', () => {
        sent = true
      })
      raw.on('close', end)
      if (raw.socket === null) endWithConnection(reply, end)
    })
    app.step('request end', (request, reply, done) => {
      app.watchRequest(request, reply)
      done()
    })
  },
  { name: 'request-end', dependencies: ['client-address'] },
)

/** Node does not close the responses that wait for those before them when the connection goes. */
function endWithConnection({ raw, request }: FastifyReply, end: () => void): void {
  const { socket } = request.raw
  // There may be hundreds of them, which is not a leak.
  socket.setMaxListeners(0)
  socket.once('close', end)
  raw.once('close', () => socket.off('close', end))
}

function endOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { sent, address }: { sent: boolean; address: string | undefined },
): RequestEnd {
  const { schema, config, url } = request.routeOptions
  return {
    status: sent ? reply.statusCode : CLIENT_CLOSED_REQUEST,
    operation: request.is404 ? 'unknown' : (schema?.operationId ?? 'other'),
    route: url,
    probe: config?.probe === true,
    milliseconds: reply.elapsedTime,
    address,
  }
}
