import type { FastifyContentTypeParser, onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { BadRequest, UnsupportedMediaType } from '#plugins/http/errors/http-errors.ts'
import { isPacked } from './content-coding.ts'

/**
 * Leaves the bodies of uploads (`config.upload`) to their routes, as streams and of any type. That is for all routes of the
 * same folder: none of them can take JSON.
 */
export default fp(
  async (app) => {
    app.addHook('onRoute', function (route) {
      if (!route.config?.upload) return
      if (!this.hasContentTypeParser('*')) {
        this.removeAllContentTypeParsers()
        this.addContentTypeParser('*', leaveUnread)
      }
      route.onSend = [endUnfinished, ...[route.onSend ?? []].flat()]
    })
  },
  { name: 'upload' },
)

const leaveUnread: FastifyContentTypeParser = (request, _payload, done) => {
  const { 'content-encoding': coding, 'content-type': type, 'content-range': range } = request.headers
  // A part in the place of the whole would be all that is left of the content (RFC 9110 section 9.3.4).
  if (range !== undefined) return done(new BadRequest({ detail: 'The body must be all of the content.' }))
  if (isPacked(coding)) return refuse(done, 'The body must be sent without a content coding.')
  // Else the boundaries of the form would become part of the file.
  if (type?.startsWith('multipart/form-data'))
    return refuse(done, 'The body must be the bytes of the file, not a form that has them.')
  done(null)
}

function refuse(done: (error: Error) => void, detail: string): void {
  done(new UnsupportedMediaType({ detail }))
}

/** Has the connection end after an answer that does not wait for the rest of a body, which may be large. */
const endUnfinished: onSendHookHandler = (request, reply, payload, done) => {
  if (!request.raw.complete) reply.header('connection', 'close')
  done(null, payload)
}
