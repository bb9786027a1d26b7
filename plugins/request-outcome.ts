import type { FastifyReply, FastifyRequest } from 'fastify'

/** The status that logs and metrics have for requests whose client left before the answer was sent. */
const CLIENT_CLOSED_REQUEST = 499

/** The identity of what a request asked for, from the closed set of our operations. */
export function operationOf(request: FastifyRequest): string {
  if (request.is404) return 'unknown'
  return request.routeOptions.schema?.operationId ?? 'other'
}

/**
 * Tells how a request ended, once: when its response was sent or the client has left. Fastify's onResponse
 * is not called for the latter.
 */
export function onceEnded(reply: FastifyReply, listener: (status: number) => void): void {
  let sent = false
  let ended = false
  const end = () => {
    if (!ended) listener(sent ? reply.statusCode : CLIENT_CLOSED_REQUEST)
    ended = true
  }
  reply.raw.once('finish', () => {
    sent = true
  })
  reply.raw.once('close', end)
  if (reply.raw.socket === null) endWithConnection(reply, end)
}

/** Node does not close the responses that wait for those before them when the connection goes. */
function endWithConnection({ raw, request }: FastifyReply, end: () => void): void {
  const { socket } = request.raw
  // There may be hundreds of them, which is no leak.
  socket.setMaxListeners(0)
  socket.once('close', end)
  raw.once('close', () => socket.off('close', end))
}
