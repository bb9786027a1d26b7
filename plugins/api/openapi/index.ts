import swagger from '@fastify/swagger'
import swaggerUi, { type FastifySwaggerUiHooksOptions } from '@fastify/swagger-ui'
import type { FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { ErrorClass } from '#lib/errors.ts'
import { describeOperation } from './describe-operation.ts'
import { documentInfo } from './document-info.ts'
import { PAGE_STYLE } from './page-style.ts'
import { SharedResponses } from './shared-responses.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The errors that only this route can give; the general ones are added by themselves. */
    errors?: readonly ErrorClass[]
  }
}

/**
 * The OpenAPI 3.1 document, made of the routes' own schemas. What follows from the rules of the service (who
 * may call, which errors can come) is added here, from the same flags that enforce it.
 */
export default fp(
  async (app) => {
    const routes = new Map<string, RouteOptions>()
    app.addHook('onRoute', (route) => {
      // HEAD routes share the operation of their GET.
      if (route.schema?.operationId !== undefined && route.method !== 'HEAD')
        routes.set(route.schema.operationId, route)
    })

    await app.register(swagger, {
      openapi: documentInfo(app),
      // A path of the public URL belongs to the server's URL, and is in no route.
      stripBasePath: false,
      refResolver: {
        buildLocalReference: (schema) => String(schema['$id']),
      },
      transformObject(document) {
        /* c8 ignore next: for the type; it would be there for Swagger 2. */
        if (!('openapiObject' in document)) throw new TypeError('expected an OpenAPI 3 document')
        const { openapiObject } = document
        const shared = new SharedResponses()
        for (const path of Object.values(openapiObject.paths ?? {})) {
          for (const operation of [path?.get, path?.post, path?.put, path?.patch, path?.delete]) {
            const route = routes.get(operation?.operationId ?? '')
            if (operation && route) describeOperation(operation, route, shared)
          }
        }
        // Without shared objects, which YAML would write as aliases; parsers refuse too many of them.
        const components = { ...openapiObject.components, responses: shared.components }
        return JSON.parse(JSON.stringify({ ...openapiObject, components }))
      },
    })
    if (app.config.docs.enabled && app.config.role !== 'worker')
      await app.register(swaggerUi, {
        routePrefix: '/docs',
        indexPrefix: '.',
        uiConfig: UI,
        staticCSP: CSP,
        theme: { css: [{ filename: 'page.css', content: PAGE_STYLE }] },
        uiHooks: PAGES,
      })
  },
  { name: 'openapi', dependencies: ['schemas'] },
)

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
  persistAuthorization: true,
  tryItOutEnabled: true,
}

/** What Swagger UI needs: its own files, inline styles, and images in data URLs. */
const CSP =
  "default-src 'none'; connect-src 'self'; font-src 'self'; img-src 'self' data:; script-src 'self'; " +
  "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
