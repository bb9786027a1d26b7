import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { ApiKeyCaller } from '#services/api-keys/caller.ts'
import { LastUses } from '#services/api-keys/last-uses.ts'

/** Tells who speaks by a key at this moment, if anybody. */
export interface ApiKeys {
  /**
   * Returns the caller; undefined for a text that is not a key, and for a key that is not accepted now. A promise when the database has
   * to be asked, which is done once for each request.
   */
  find(request: FastifyRequest, text: string): ApiKeyCaller | Promise<ApiKeyCaller | undefined>
  /** Notes that a key was used. */
  used(key: ApiKeyCaller, address: string): void
}

declare module 'fastify' {
  interface FastifyInstance {
    apiKeys: ApiKeys
  }
  interface FastifyRequest {
    /** The key that sends the request. Throws in every route that is not for keys alone. */
    readonly apiKey: ApiKeyCaller
    /** The answer to `apiKeys.find`, once the database was asked. */
    keyOwner: Promise<ApiKeyCaller | undefined> | undefined
  }
}

/** Decides whether an API key is accepted, for the rate limit and for authentication, and notes its use. */
export default fp(
  async (app) => {
    const { apiKeys: callers } = app.ctx
    const uses = new LastUses(app.db, app.log)
    app.decorateRequest('keyOwner', undefined)
    app.decorateRequest('apiKey', {
      getter() {
        if (this.principal?.kind !== 'api_key') throw new TypeError(`${this.routeOptions.url} has no API key`)
        return this.principal.key
      },
    })
    app.decorate('apiKeys', {
      find(request, text) {
        const known = request.keyOwner === undefined ? callers.peek(text) : undefined
        if (known !== undefined) return known
        request.keyOwner ??= callers.load(text)
        return request.keyOwner
      },
      used: (key, address) => uses.note(key, address),
    })
    app.addHook('onClose', () => uses.close())
  },
  { name: 'api-keys', dependencies: ['context', 'database', 'identity'] },
)
