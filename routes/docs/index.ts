import swaggerUi, { type FastifySwaggerUiHooksOptions } from '@fastify/swagger-ui'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { drawChanges } from './draw-changes.ts'
import { PAGE_STYLE } from './page-style.ts'
import { resolveReferences } from './resolve-references.ts'

/** Swagger UI, and the document as JSON and YAML. Not encapsulated, so the path is the one it is told. */
export default fp(async (app) => {
  if (!app.config.docs.enabled) return
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: '.',
    uiConfig: UI,
    staticCSP: CSP,
    theme: { css: [{ filename: 'page.css', content: PAGE_STYLE }] },
    uiHooks: PAGES,
  })
})

const PAGES: FastifySwaggerUiHooksOptions = {
  onRequest(request, reply, done) {
    const target = redirection(request)
    if (target !== undefined) return void reply.redirect(target)
    reply.asPage()
    done()
  },
}

/** Where the page's relative links would lead astray, or the page would redirect past the prefix of a proxy. */
function redirection({ url, routeOptions }: FastifyRequest): string | undefined {
  if (routeOptions.url?.endsWith('/static/index.html')) return '../'
  const [path = '', query] = url.split('?', 2)
  if (query === undefined || !/^\/docs\/?$/.test(path)) return undefined
  return path.endsWith('/') ? './' : './docs'
}

const UI = {
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  // All operations at once would be drawn as far as one scrolls, and Ctrl+F would find no other.
  docExpansion: 'none' as const,
  persistAuthorization: true,
  plugins: [resolveReferences, drawChanges],
  tryItOutEnabled: true,
}

/** Sources that Swagger UI needs: its own files, inline styles, and images in data URLs. */
const CSP =
  "default-src 'none'; connect-src 'self'; font-src 'self'; img-src 'self' data:; script-src 'self'; " +
  "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
