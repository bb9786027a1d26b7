import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { ActingParty, Client } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { SocketCaller } from '#plugins/http/request/request-caller.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The context for services, with the request's logger, client, and database for its caller. */
    readonly ctx: AppContext
    /** `ctx`, once somebody has asked for it. */
    ownContext: AppContext | undefined
  }
}

/** Makes the context of a request, once, when it is first asked for. */
export default fp(
  async (app) => {
    app.decorateRequest('ownContext', undefined)
    /** A route that reads from replicas says so; it gets them where there are some. */
    function databaseFor({ raw, routeOptions }: FastifyRequest): Database {
      const caller = new SocketCaller(raw.socket)
      const { replicas } = app
      if (replicas !== undefined && routeOptions.config.replica) return replicas.forCaller(caller)
      return app.db.forCaller(caller)
    }

    app.decorateRequest('ctx', {
      getter() {
        this.ownContext ??= {
          ...app.ctx,
          db: databaseFor(this),
          log: this.log,
          client: new RequestClient(this, app.clientAddress(this)),
        }
        return this.ownContext
      },
    })
  },
  { name: 'request-context', dependencies: ['client-address', 'context', 'database', 'replicas'] },
)

/** Longest user agent that is kept. */
const MAX_USER_AGENT = 500

/** Where a request came from, and who sends it as soon as that is known. */
class RequestClient implements Client {
  readonly ip: string
  readonly userAgent: string | null
  readonly #request: FastifyRequest

  constructor(request: FastifyRequest, address = LOCAL_ADDRESS) {
    this.ip = address
    this.userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT).toWellFormed() ?? null
    this.#request = request
  }

  get requestId(): string {
    return this.#request.id
  }

  get impersonator(): string | undefined {
    const { principal } = this.#request
    return principal?.kind === 'user' ? (principal.impersonatorId ?? undefined) : undefined
  }

  get actor(): ActingParty {
    const { principal, isMember } = this.#request
    if (principal === undefined) return { kind: 'anonymous', id: null }
    if (principal.kind === 'api_key') return { kind: 'api_key', id: principal.key.id }
    const { id, role } = principal.user
    return { kind: role === 'admin' && !isMember ? 'admin' : 'user', id }
  }
}
