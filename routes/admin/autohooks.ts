import type { FastifyPluginAsync } from 'fastify'

/** Where the panel has a listener of its own, there is nothing of it on any other. */
const hooks: FastifyPluginAsync = async (app) => {
  if (app.config.admin.address === undefined) return
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, isHiddenFrom: (request) => !app.servesPanelTo(request) }
  })
  app.addHook('onRequest', async (request, reply) => {
    if (!app.servesPanelTo(request)) return reply.callNotFound()
  })
}

export default hooks
