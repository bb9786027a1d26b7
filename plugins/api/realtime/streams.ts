import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ServiceError } from '#lib/errors.ts'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { bearerToken } from '#plugins/api/tokens/credentials.ts'
import { Overloaded } from '#plugins/http/errors/http-errors.ts'
import type { Connection } from '#services/realtime/connection.ts'
import type { Listener } from '#services/realtime/define-channel.ts'
import { ChannelNotFound, RealtimeDisabled, TooManyConnections } from '#services/realtime/errors.ts'
import { EventStream } from '#services/realtime/event-stream.ts'
import { ENDINGS, REFUSALS, type Refusal } from '#services/realtime/protocol.ts'
import { aboutToEnd } from './refused-sockets.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers with the events of some channels, as long as the client listens. */
    streamEvents(request: FastifyRequest, reply: FastifyReply, channels: readonly string[]): Promise<void>
  }
  interface FastifyRequest {
    /** The caller, as somebody who could listen to channels. */
    asListener(): Listener
  }
}

const RETRY_AFTER_S = 5
/** A proxy that buffers, or compresses, would keep back what has happened. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}

/** Streams of server-sent events: `app.streamEvents`. */
export function serveStreams(app: FastifyInstance): void {
  const { connections, max_waiting: maxWaiting } = app.config.realtime
  const now = () => performance.now()

  app.decorateRequest('asListener', function () {
    const { principal } = this
    if (principal === undefined) throw new TypeError('nobody has authenticated')
    return { ...principal, address: app.clientAddress(this.raw) ?? LOCAL_ADDRESS }
  })
  app.decorate('streamEvents', async (request, reply, channels) => {
    const { realtimeHub: hub } = app
    if (hub === undefined) throw new RealtimeDisabled()
    if (app.isDraining()) throw aboutToEnd()
    if (hub.peers.size >= connections) throw new Overloaded({ retryAfter: RETRY_AFTER_S })
    if (request.method === 'HEAD') {
      await sendHead(app, request, reply, channels)
      return
    }
    const lastEventId = request.headers['last-event-id']
    const stream = new EventStream({
      ...{ hub, channels, maxWaiting, now },
      connection: connectionOf(reply),
      lastEventId: lastEventId === undefined ? undefined : String(lastEventId),
      lifetimeMs: lifetimeOf(app, request),
    })
    reply.raw.once('close', () => stream.left())
    if (!hub.identify(stream, request.asListener())) {
      stream.end(ENDINGS.tooMany)
      throw new TooManyConnections({ retryAfter: RETRY_AFTER_S })
    }
    const refusal = await stream.open()
    if (refusal === undefined) return
    stream.end(ENDINGS.serverError)
    throw errorOf(refusal)
  })
}

/** Answers as a stream would begin; there is nothing to wait for. */
async function sendHead(
  { ctx }: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  channels: readonly string[],
): Promise<void> {
  for (const channel of channels) {
    if (!(await ctx.presence.find(request.asListener(), channel))) throw new ChannelNotFound()
  }
  await reply.headers(STREAM_HEADERS).send()
}

/** Begins the answer with the first frame: until then it can still become an error. */
function connectionOf(reply: FastifyReply): Connection {
  const { raw } = reply
  return {
    send(frame) {
      if (!reply.sent) begin(reply)
      raw.write(frame)
    },
    get waiting() {
      return raw.writableLength
    },
    close(why) {
      if (!reply.sent) return
      if (why === ENDINGS.slow) raw.destroy()
      else raw.end()
    },
  }
}

function begin(reply: FastifyReply): void {
  reply.hijack()
  reply.raw.writeHead(200, { ...Object.fromEntries(headersOf(reply)), ...STREAM_HEADERS })
}

/** Headers that hooks have set. */
function headersOf(reply: FastifyReply): [string, string | number | string[]][] {
  return Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string | number | string[]]],
  )
}

/** Milliseconds for which the token of a request is valid; a key has no end of its own here. */
function lifetimeOf({ tokens }: FastifyInstance, request: FastifyRequest): number {
  if (request.principal?.kind === 'api_key') return Number.POSITIVE_INFINITY
  const claims = tokens.peek(bearerToken(request) ?? '')
  return claims === undefined ? 0 : claims.exp * 1000 - Date.now()
}

function errorOf({ code }: Refusal): ServiceError {
  if (code === REFUSALS.denied.code) return new ChannelNotFound()
  if (code === REFUSALS.limit.code) return new TooManyConnections({ retryAfter: RETRY_AFTER_S })
  return new Overloaded({ retryAfter: RETRY_AFTER_S })
}
