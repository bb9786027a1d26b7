import type { ServiceError } from '#lib/errors.ts'
import { RouteNotFound } from '#plugins/http/errors/http-errors.ts'
import { isScope } from '#services/api-keys/caller.ts'
import type { Permission } from '#services/members/permissions.ts'
import type { Requirement } from './step-up.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Who may call the route. Under /api it is `user` unless the route says otherwise; API keys may too where they can have
     * the route's `permission`. `api_key` is for keys alone, `caller` for people and any key. `operator` is for admins
     * too; for everybody else there is nothing at the URL (decision 090).
     */
    access?: 'public' | 'user' | 'admin' | 'operator' | 'api_key' | 'caller'
    /** Closes the route to admins who act in somebody's place, as `requires` does (decision 093). */
    forPersonOnly?: true
  }
}

/** Demands of a route on who calls it. */
export interface Demands {
  readonly access: 'user' | 'admin' | 'operator' | 'api_key' | 'caller'
  readonly permission?: Permission | undefined
  readonly requires?: Requirement | undefined
  readonly forPersonOnly?: true | undefined
}

/** Returns the error for somebody whom a route is not for: where it is hidden, that of a URL at which there is nothing. */
export function hiding({ access }: Demands, error: ServiceError): ServiceError {
  return access === 'operator' ? new RouteNotFound({ cause: error }) : error
}

/** Whether a route takes API keys: any, or those with the route's permission, if keys can have it. */
export function takesApiKeys({ access, permission, requires }: Demands): boolean {
  if (access === 'api_key' || access === 'caller') return true
  return access === 'user' && requires === undefined && permission !== undefined && isScope(permission)
}

/** Whether a route is closed to an admin who acts in somebody's place: what asks for a proof, too. */
export function refusesImpersonators({ requires, forPersonOnly }: Demands): boolean {
  return requires !== undefined || forPersonOnly === true
}
