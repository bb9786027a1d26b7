import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ServiceError } from '#lib/errors.ts'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { RouteNotFound } from '#plugins/http/errors/http-errors.ts'
import { type ApiKeyCaller, isScope } from '#services/api-keys/caller.ts'
import { ApiKeyNotAllowed } from '#services/api-keys/errors.ts'
import type { AccessTokenClaims } from '#services/authentication/access-tokens.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import type { Permission } from '#services/members/permissions.ts'
import { ImpersonationForbidsThis } from '#services/sessions/errors.ts'
import type { Identity } from '#services/sessions/identity/identities.ts'
import { Forbidden } from '#services/users/errors.ts'
import { type Requirement, stepUp } from './step-up.ts'

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

/** Lets the sender of a token or key in, or throws; a promise when the database has to be asked. */
type Entrance = (request: FastifyRequest, text: string) => Promise<void> | undefined

/** Whether a route takes API keys: any, or those with the route's permission, if keys can have it. */
export function takesApiKeys({ access, permission, requires }: Demands): boolean {
  if (access === 'api_key' || access === 'caller') return true
  return access === 'user' && requires === undefined && permission !== undefined && isScope(permission)
}

/** Whether a route is closed to an admin who acts in somebody's place: what asks for a proof, too. */
export function refusesImpersonators({ requires, forPersonOnly }: Demands): boolean {
  return requires !== undefined || forPersonOnly === true
}

/** Makes the entrance of people, who send an access token. */
export function entranceOfUsers(app: FastifyInstance, demands: Demands): Entrance {
  const { access, requires } = demands
  const assertRecent = requires && stepUp(app.identities, requires)
  const isForPerson = refusesImpersonators(demands)

  function enter(request: FastifyRequest, token: string, { sid }: AccessTokenClaims, identity?: Identity) {
    if (identity === undefined) {
      // It was verified, which would let it be asked about before it is counted.
      app.tokens.forget(token)
      throw new Unauthenticated()
    }
    const { user, impersonatorId } = identity
    request.principal = { kind: 'user', user, sessionId: sid, impersonatorId }
    if (impersonatorId !== null) request.log = request.log.child({ impersonator_id: impersonatorId })
    if (access === 'api_key') throw new Forbidden({ detail: 'This is for API keys.' })
    const isForAdmins = access === 'admin' || access === 'operator'
    if (isForAdmins && identity.user.role !== 'admin') throw hiding(demands, new Forbidden())
    if (impersonatorId !== null && isForPerson) throw new ImpersonationForbidsThis()
    assertRecent?.(request, identity)
  }

  return (request, token) => {
    const claims = verify(app, token)
    const found = app.credentials.find(request, token, claims)
    if (found instanceof Promise) return found.then((identity) => enter(request, token, claims, identity))
    enter(request, token, claims, found)
    return undefined
  }
}

/** Makes the entrance of programs, which send an API key. */
export function entranceOfApiKeys(app: FastifyInstance, demands: Demands): Entrance {
  const isOpen = takesApiKeys(demands)

  function enter(request: FastifyRequest, key: ApiKeyCaller | undefined) {
    const address = app.clientAddress(request) ?? LOCAL_ADDRESS
    // Whatever is wrong looks the same to who may have found the key.
    if (key === undefined || !key.mayComeFrom(address)) throw new Unauthenticated()
    request.principal = { kind: 'api_key', key }
    app.apiKeys.used(key, address)
    if (!isOpen) throw hiding(demands, new ApiKeyNotAllowed())
  }

  return (request, text) => {
    const found = app.apiKeys.find(request, text)
    if (found instanceof Promise) return found.then((key) => enter(request, key))
    enter(request, found)
    return undefined
  }
}

/** Returns what a token says; anything that we did not issue is one and the same 401. */
function verify({ tokens }: FastifyInstance, token: string): AccessTokenClaims {
  try {
    return tokens.verify(token)
  } catch (error) {
    throw new Unauthenticated({ cause: error })
  }
}
