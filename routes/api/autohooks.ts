import type { FastifyPluginAsync } from 'fastify'

/** Routes under /api are closed unless they say `config: { access: 'public' }`. */
const hooks: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', (route) => {
    route.config = { access: 'user', ...route.config }
  })
  app.addHook('onRequest', app.authenticate)
}

export default hooks
