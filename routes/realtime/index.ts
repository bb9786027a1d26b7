import type { FastifyPluginAsync } from 'fastify'
import { UpgradeRequired } from '#services/realtime/errors.ts'

/** Answers requests that ask for no WebSocket; plugins/api/realtime/sockets.ts opens those. OpenAPI can describe neither. */
const routes: FastifyPluginAsync = async (app) => {
  app.get('', { schema: { hide: true } }, async (_request, reply) => {
    // With a header of ours Node would not say by itself that the connection ends, if the client or a drain wants it to.
    reply.header('upgrade', 'websocket').header('connection', 'upgrade, close')
    throw new UpgradeRequired()
  })
}

export default routes
