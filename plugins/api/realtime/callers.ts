import type { FastifyInstance } from 'fastify'
import type { AccessTokenClaims } from '#services/authentication/access-tokens.ts'
import type { Doorman } from '#services/realtime/doorman.ts'
import type { Callers } from '#services/realtime/rights.ts'

/** The form of an API key, which no access token has. */
const API_KEY = /^gwk_\w+$/

/**
 * Makes who lets in people by their access tokens, and programs by their API keys.
 *
 * @param address where the client is
 */
export function createDoorman(app: FastifyInstance, address: string): Doorman {
  return {
    admit: (credential) =>
      API_KEY.test(credential) ? admitKey(app, credential, address) : admitUser(app, credential, address),
  }
}

async function admitUser(app: FastifyInstance, token: string, address: string) {
  const claims = claimsOf(app, token)
  if (typeof claims === 'string') return claims
  const identity = await app.credentials.ask(token, claims)
  if (identity === undefined) return (await isOpen(app, claims)) ? 'expired' : 'ended'
  const { user, impersonatorId } = identity
  const listener = { kind: 'user', user, sessionId: claims.sid, impersonatorId, address } as const
  return { listener, expiresAt: claims.exp * 1000 }
}

/** Whether a refused token is of an open session: then it says a role that its user has lost, and a new one does not. */
async function isOpen({ identities }: FastifyInstance, { sid, sub }: AccessTokenClaims): Promise<boolean> {
  return (await identities.load(sid))?.user.id === sub
}

async function admitKey({ ctx, apiKeys }: FastifyInstance, text: string, address: string) {
  const key = await ctx.apiKeys.load(text)
  if (!key?.mayComeFrom(address)) return 'invalid'
  apiKeys.used(key, address)
  return { listener: { kind: 'api_key', key, address }, expiresAt: Number.POSITIVE_INFINITY } as const
}

function claimsOf({ tokens }: FastifyInstance, token: string): AccessTokenClaims | 'expired' | 'invalid' {
  try {
    return tokens.verify(token)
  } catch (error) {
    return error instanceof Error && /expired/i.test(error.message) ? 'expired' : 'invalid'
  }
}

/** Makes who knows whether listeners are still who they were. */
export function createCallers({ identities, ctx }: FastifyInstance): Callers {
  return {
    isInformed: () => identities.isTrusted,
    isKnown: (listener) =>
      listener.kind === 'user'
        ? identities.look(listener.sessionId) !== undefined
        : ctx.apiKeys.lookAgain(listener.key) !== undefined,
    async load(listener) {
      if (listener.kind === 'user') {
        const identity = await identities.loadTogether(listener.sessionId)
        return identity && { ...listener, user: identity.user }
      }
      const key = await ctx.apiKeys.loadAgain(listener.key)
      return key?.mayComeFrom(listener.address) ? { ...listener, key } : undefined
    },
    isMember: async (org, user) => (await ctx.memberships.loadTogether(org, user)) !== undefined,
  }
}
