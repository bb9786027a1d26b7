import type { FastifyRequest } from 'fastify'
import { parseDuration } from '#config/engine/units.ts'
import { ReauthenticationRequired } from '#services/sessions/errors.ts'
import type { Identities, Identity } from '#services/sessions/identity/identities.ts'

/** Demands of a route beside an access token, because a stolen one must not be enough for it. */
export interface Requirement {
  /** For how long a proof of who the caller is counts, such as `10m`: by signing in or by `reauthenticate`. */
  readonly maxAge: string
  /** Does not ask those whose own account the path's `id` names. */
  readonly unless?: 'own account'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How recently the caller must have proved who they are; otherwise 401 `reauthentication_required` (RFC 9470). */
    requires?: Requirement
  }
}

/**
 * Returns the longest time since the proof, in seconds.
 *
 * @throws TypeError when it is not a duration of whole seconds
 */
export function maxAgeSeconds({ maxAge }: Requirement): number {
  const seconds = Number(parseDuration(maxAge)) / 1000
  if (!Number.isSafeInteger(seconds) || seconds === 0) {
    throw new TypeError(`'${maxAge}' is not a duration of whole seconds`)
  }
  return seconds
}

/** Returns the check of a requirement, which throws ReauthenticationRequired. Costs no query. */
export function stepUp(
  identities: Pick<Identities, 'ageOf'>,
  requirement: Requirement,
): (request: FastifyRequest, identity: Identity) => void {
  const seconds = maxAgeSeconds(requirement)
  const challenge =
    'Bearer error="insufficient_user_authentication", ' +
    `error_description="a more recent proof of identity is needed", max_age="${seconds}"`
  return (request, identity) => {
    if (identities.ageOf(identity) <= seconds * 1000) return
    if (requirement.unless === 'own account' && isOwn(request.params, identity)) return
    throw new ReauthenticationRequired({ challenge })
  }
}

/** The path is not validated yet, so ids come in any case. */
function isOwn(params: unknown, { user }: Identity): boolean {
  const { id }: { id?: unknown } = Object(params)
  return typeof id === 'string' && id.toLowerCase() === user.id
}
