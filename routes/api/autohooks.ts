import type { FastifyPluginAsync } from 'fastify'

/** Routes under /api are closed unless they say `config: { access: 'public' }`. */
const hooks: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', (route) => {
    const config = { access: 'user' as const, ...route.config }
    route.config = config
    const { access, permission, requires, forPersonOnly } = config
    if (access === 'public') {
      if (requires ?? forPersonOnly)
        throw new TypeError(`${route.url} is public and can't require a recent authentication`)
      return
    }
    route.onRequest = [
      app.authenticate({ access, permission, requires, forPersonOnly }),
      ...[route.onRequest ?? []].flat(),
    ]
  })
}

export default hooks
