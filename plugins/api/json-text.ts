import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { JsonText } from '#lib/json-text.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Sends JSON that was written already, past the response's schema. */
    sendJson(body: JsonText<unknown>): FastifyReply
  }
}

/** Answers that PostgreSQL's rows were written into (decision 074). */
export default fp(
  async (app) => {
    app.decorateReply('sendJson', function (this: FastifyReply, { text }) {
      return this.type('application/json; charset=utf-8').send(text)
    })
  },
  { name: 'json-text' },
)
