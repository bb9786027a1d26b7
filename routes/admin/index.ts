import type { FastifyPluginAsync } from 'fastify'
import { loadAssets } from '#lib/browser-modules/browser-modules.ts'
import { PACKAGES, renderPanelPage } from './page.ts'

/** uPlot has its smallest form for script elements only. */
const UPLOT = { url: import.meta.resolve('uplot/dist/uPlot.iife.min.js'), append: '\nexport default uPlot\n' }

const SOURCES = {
  folder: new URL('../../admin', import.meta.url).href,
  packages: Object.fromEntries(
    Object.entries(PACKAGES).map(([name, path]) => [
      path,
      name === 'uplot' ? UPLOT : { url: import.meta.resolve(name) },
    ]),
  ),
}

/**
 * The admin panel: one page, whose scripts call the API as any other client does. What it shows is in the URL's fragment,
 * so what an admin searches for is in no proxy's log.
 */
const routes: FastifyPluginAsync = async (app) => {
  const { admin, product } = app.config
  if (!admin.panel) return
  const schema = { hide: true }
  // In good time for the first visit, and for nothing in applications that only tests talk to.
  app.addHook(
    'onListen',
    async () => void loadAssets(SOURCES).catch((err) => app.log.error({ err }, 'no panel')),
  )

  app.get('', { schema }, async (_request, reply) => reply.redirect('admin/', 308))

  app.get('/', { schema, prefixTrailingSlash: 'slash' }, async (_request, reply) => {
    const { body, csp } = renderPanelPage(product.name, await loadAssets(SOURCES))
    return reply.asPage().header('content-security-policy', csp).type('text/html; charset=utf-8').send(body)
  })

  app.get<{ Params: { hash: string; '*': string } }>(
    '/assets/:hash/*',
    { schema },
    async ({ headers, params }, reply) => {
      const { hash, files } = await loadAssets(SOURCES)
      const asset = files.get(params['*'])
      // Files of another version would not fit to those that the page has.
      if (params.hash !== hash || asset === undefined) return reply.callNotFound()
      reply.header('cache-control', 'public, max-age=31536000, immutable').header('vary', 'accept-encoding')
      reply.type(asset.type)
      if (!takesBrotli(headers['accept-encoding'])) return reply.send(asset.body)
      return reply.header('content-encoding', 'br').send(asset.brotli)
    },
  )
}

export default routes

function takesBrotli(header = ''): boolean {
  return header.split(',').some((coding) => /^\s*br\s*(?:;\s*q=(?:1|0\.\d*[1-9]\d*)\s*)?$/i.test(coding))
}
