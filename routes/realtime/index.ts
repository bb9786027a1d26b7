import type { FastifyPluginAsync } from 'fastify'
import { UpgradeRequired } from '#services/realtime/errors.ts'

/** Answers requests that ask for no WebSocket; plugins/api/realtime/sockets.ts opens those. OpenAPI can describe neither. */
const routes: FastifyPluginAsync = async (app) => {
  app.get('', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('upgrade', 'websocket').header('connection', 'upgrade')
    throw new UpgradeRequired()
  })
}

export default routes
