import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import { validate as isUuid } from 'uuid'
import { ApiKeyNotAllowed, InsufficientScope } from '#services/api-keys/errors.ts'
import { Denials } from '#services/audit/denials.ts'
import { ImpersonationForbidsThis } from '#services/sessions/errors.ts'
import { Forbidden } from '#services/users/errors.ts'

/** Methods of operations that change something. */
const CHANGING = ['POST', 'PUT', 'PATCH', 'DELETE']

/** Errors that say that rights are missing. */
const REFUSALS = [Forbidden, InsufficientScope, ApiKeyNotAllowed, ImpersonationForbidsThis]

/** Records who was refused a change for lack of rights. Reads are refused without a trace but the log's. */
export default fp(
  async (app) => {
    const dropped = new Counter({
      name: 'audit_denials_dropped_total',
      help: 'Refusals for lack of rights that are not in the audit log one by one, because there were too many.',
      registers: [app.metrics],
    })
    const denials = new Denials({
      now: () => app.ctx.now().getTime(),
      dropped: (count) => dropped.inc(count),
    })

    async function record(request: FastifyRequest, _reply: unknown, error: Error): Promise<void> {
      if (!REFUSALS.some((refusal) => error instanceof refusal || error.cause instanceof refusal)) return
      const operation = request.routeOptions.schema?.operationId ?? 'unknown'
      try {
        await denials.record(request.ctx, { operation, org: await chainOf(request) })
      } catch (cause) {
        request.log.warn({ err: cause, operation }, 'a refusal could not be recorded')
      }
    }

    /** The organization's own log tells of its members and keys; of anyone else the service's does. */
    async function chainOf({ params, principal, isMember }: FastifyRequest): Promise<string | undefined> {
      // What is refused early was not validated.
      const { organization_id: org }: { organization_id?: string } = Object(params)
      if (org === undefined || !isUuid(org) || principal === undefined) return undefined
      if (principal.kind === 'api_key') return principal.key.org === org ? org : undefined
      const { memberships } = app.ctx
      const { id } = principal.user
      return isMember || (memberships.peek(org, id) ?? (await memberships.load(org, id))) ? org : undefined
    }

    app.addHook('onRoute', (route) => {
      if (route.config?.refusesMethod || !route.url.startsWith('/api/')) return
      if (![route.method].flat().some((method) => CHANGING.includes(method))) return
      route.onError = [record, ...[route.onError ?? []].flat()]
    })
  },
  { name: 'denials', dependencies: ['context', 'identity', 'metrics'] },
)
