import type { FastifyPluginAsync } from 'fastify'

/** Routes under /api are closed unless they say `config: { access: 'public' }`. */
const hooks: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', (route) => {
    const config = { access: 'user' as const, ...route.config }
    route.config = config
    if (config.access === 'public') return
    route.onRequest = [app.authenticate(config.access), ...[route.onRequest ?? []].flat()]
  })
}

export default hooks
