import type { FastifyPluginAsync } from 'fastify'
import { wantsHtml } from '#lib/html/wants-html.ts'
import { renderStartPage } from './start-page.ts'

/** The page's own styles, and nothing else. */
const CSP =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The start page, for a person who opens the address: in development a page, elsewhere as little as possible. */
const routes: FastifyPluginAsync = async (app) => {
  const { admin, docs, environment, product } = app.config
  const answer = { name: product.name, ...(docs.enabled ? { documentation: `${app.publicPath}/docs` } : {}) }
  const isDevelopment = environment === 'development' || environment === 'test'
  const page = isDevelopment
    ? renderStartPage(product.name, {
        admin: admin.panel && admin.address === undefined,
        docs: docs.enabled,
        mailbox: app.mailbox !== undefined,
      })
    : undefined

  app.get('/', { schema: { hide: true } }, async ({ headers }, reply) => {
    reply.header('vary', 'accept')
    if (page === undefined || !wantsHtml(headers.accept)) return answer
    return reply.asPage().header('content-security-policy', CSP).type('text/html; charset=utf-8').send(page)
  })
}

export default routes
