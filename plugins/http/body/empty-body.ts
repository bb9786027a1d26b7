import type { Readable } from 'node:stream'
import type { FastifyRequest, preParsingHookHandler } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Has operations without a body accept every way of sending an empty one: no length, `Content-Length: 0`, or chunks
 * that carry nothing, with whatever `Content-Type`. Clients and proxies add these headers without being asked.
 */
export default fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      if (route.schema?.body !== undefined) return
      const others = [route.preParsing ?? []].flat()
      route.preParsing = [takeEmptyBody, ...others]
    })
  },
  { name: 'empty-body' },
)

const takeEmptyBody: preParsingHookHandler = (request, _reply, payload, done) => {
  const { 'transfer-encoding': coding, 'content-length': length = '0' } = request.headers
  if (coding === undefined && !/^0+$/.test(length)) return done(null, payload)
  if (coding === undefined) {
    forgetBody(request)
    return done(null, payload)
  }
  isEmpty(payload, (empty) => {
    if (empty) forgetBody(request)
    done(null, payload)
  })
}

/** Whether a stream ends without a byte. What it holds stays unread. */
function isEmpty(payload: Readable, answer: (empty: boolean) => void): void {
  const finish = (empty: boolean) => {
    payload.off('readable', look).off('end', ended).off('close', closed)
    answer(empty)
  }
  const look = () => {
    if (payload.readableLength > 0) finish(false)
    // Nothing is there, or the end is: then reading has it emitted.
    else payload.read()
  }
  const ended = () => finish(true)
  const closed = () => finish(false)
  payload.on('readable', look).on('end', ended).on('close', closed)
}

/** Without these headers the framework looks for no body, and for no parser of its type. */
function forgetBody({ headers }: FastifyRequest): void {
  delete headers['content-type']
  delete headers['transfer-encoding']
  // Which some write as `00`.
  delete headers['content-length']
}
