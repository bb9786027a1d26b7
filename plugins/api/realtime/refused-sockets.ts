import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { publicUrl } from '#config/public-url.ts'
import type { ServiceError } from '#lib/errors.ts'
import { bareAnswer } from '#plugins/http/connections/client-error.ts'
import { endLingering } from '#plugins/http/connections/lingering-close.ts'
import { isHostValid } from '#plugins/http/connections/malformed-requests.ts'
import { BadRequest, Overloaded } from '#plugins/http/errors/http-errors.ts'
import { requestIdOf } from '#plugins/http/request/request-id.ts'
import { OriginNotAllowed, RealtimeDisabled, TooManyConnections } from '#services/realtime/errors.ts'

const RETRY_AFTER_S = 5
/** Milliseconds in which one refusal has a line of its own: a flood would fill the log. */
const LOG_INTERVAL_MS = 1000

/** Where a request for a WebSocket comes from. */
interface Origin {
  readonly network: string
  /** Connections that it has. */
  readonly others: number
  /** Why no more may come from there at this moment, if so. */
  readonly limited: ServiceError | undefined
}

/** Returns what answers a request for a WebSocket that is not to be opened, and says whether it has. */
export function createRefusal(
  app: FastifyInstance,
): (request: IncomingMessage, socket: Socket, origin: Origin) => boolean {
  const log = app.moduleLog('realtime')
  let told = Number.NEGATIVE_INFINITY

  /** Overload is summed up once a second, and of other refusals one in a second will do. */
  function isQuiet(status: number): boolean {
    const now = performance.now()
    if (status === 503 || now - told < LOG_INTERVAL_MS) return true
    told = now
    return false
  }

  return (request, socket, { network, others, limited }) => {
    const overload = overloadOf(app)
    if (overload) app.noteRefusal('admission', overload)
    const refusal = overload ? new Overloaded() : (limited ?? refusalOf(app, request, others))
    if (refusal === undefined) return false
    const { status } = refusal.definition
    const wait = refusal.retryAfter ?? RETRY_AFTER_S
    const headers = status === 429 || status === 503 ? { 'retry-after': String(wait) } : {}
    const fields = { operation: 'openRealtime', status, remote_address: network }
    log[isQuiet(status) ? 'debug' : 'info'](fields, 'request refused')
    endLingering(socket, bareAnswer(refusal, requestIdOf(request.headers), headers))
    return true
  }
}

/** Refuses those who come while the instance drains: others have room for them. */
export const aboutToEnd = (): ServiceError =>
  new Overloaded({ detail: 'This instance is about to end; connect again.', retryAfter: RETRY_AFTER_S })

/** Answers a request for a WebSocket that is not as RFC 6455 has it; `reason` says what is wrong with it. */
export function refuseHandshake(
  app: FastifyInstance,
  request: IncomingMessage,
  socket: Socket,
  reason: string,
): void {
  const refusal = new BadRequest({ detail: `${reason}.` })
  const id = requestIdOf(request.headers)
  const fields = { operation: 'openRealtime', status: 400, request_id: id, reason }
  app.moduleLog('realtime').debug(fields, 'request refused')
  endLingering(socket, bareAnswer(refusal, id, { 'sec-websocket-version': '13, 8' }))
}

/** Why the instance takes no more connections: too much to do, or as many as there may be. Those count as refused. */
function overloadOf(app: FastifyInstance): string | undefined {
  const { realtimeHub: hub, config } = app
  if (hub === undefined || app.isDraining()) return undefined
  return (
    app.overloadReason() ??
    (hub.peers.size >= config.realtime.connections ? 'realtime_connections' : undefined)
  )
}

function refusalOf(
  app: FastifyInstance,
  { headers, url, httpVersion }: IncomingMessage,
  others: number,
): ServiceError | undefined {
  const { cors, realtime, server } = app.config
  if (app.realtimeHub === undefined) return new RealtimeDisabled()
  if (!isHostValid(headers.host, httpVersion)) return new BadRequest()
  // A token in it would be in the logs of all proxies.
  if (url?.includes('?')) return new BadRequest({ detail: 'The URL has a query, and may not have one.' })
  const { origin } = headers
  const allowed = [new URL(publicUrl(server)).origin, ...cors.allowed_origins]
  if (origin !== undefined && !allowed.includes(origin) && !allowed.includes('*'))
    return new OriginNotAllowed()
  if (app.isDraining()) return aboutToEnd()
  if (others >= realtime.connections_per_address) return new TooManyConnections()
  return undefined
}
