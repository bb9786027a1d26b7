import swagger from '@fastify/swagger'
import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { ErrorClass } from '#lib/errors.ts'
import { describeOperation } from './describe-operation.ts'
import { documentInfo } from './document-info.ts'
import { sizeInteger } from './integers.ts'
import { SharedResponses } from './shared-responses.ts'
import { webhooksOf } from './webhooks.ts'

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
        const whole = { ...openapiObject, webhooks: webhooksOf(app.eventTypes), components }
        return JSON.parse(JSON.stringify(whole), sizeInteger)
      },
    })
  },
  { name: 'openapi', dependencies: ['event-types'] },
)
