import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyReply {
    /**
     * Says where what was created is, by its path in this service. Clients get the path below which they reach the service
     * before it (`server.public_url`).
     */
    locate(path: string): FastifyReply
  }
}

export default fp(
  async (app) => {
    app.decorateReply('locate', function (this: FastifyReply, path) {
      return this.header('location', app.publicPath + path)
    })
  },
  { name: 'location' },
)
