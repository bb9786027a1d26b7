import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { bearerKey, bearerToken } from '#plugins/api/tokens/credentials.ts'
import {
  apiKeySubjects,
  type CallerFinder,
  type Subject,
  userSubjects,
} from '#plugins/http/limits/subjects.ts'
import type { ApiKeyCaller } from '#services/api-keys/caller.ts'

type Subjects = readonly Subject[] | undefined

/**
 * Has the rate limit count a request against its sender when its token or key was seen to be valid here before and is
 * accepted now. So forged ones help nobody, and nobody spends a budget with the token of a session that has ended, or with
 * a key that is revoked or comes from a network that it is not for.
 */
export default fp(
  async (app) => {
    app.countCallers((request, cost, isOver) => {
      const token = bearerToken(request)
      if (token !== undefined) return findUser(app, request, token, (subjects) => isOver(subjects, cost))
      const key = bearerKey(request)
      if (key === undefined) return undefined
      return findKey(app, request, key, (subjects) => isOver(subjects, cost))
    })
  },
  {
    name: 'counted-callers',
    dependencies: [
      'api-keys',
      'client-address',
      'context',
      'credentials',
      'identity',
      'rate-limit',
      'tokens',
    ],
  },
)

type Find = (
  app: FastifyInstance,
  request: FastifyRequest,
  text: string,
  isOver: (subjects: readonly Subject[]) => boolean,
) => ReturnType<CallerFinder>

const findUser: Find = (app, request, token, isOver) => {
  const claims = app.tokens.peek(token)
  if (claims === undefined) return undefined
  const subjects = userSubjects(claims.sub)
  if (app.credentials.look(claims) !== undefined) return subjects
  if (asksNobody(request)) return undefined
  // Without a cache each question is a statement, and a user who is over the limit must not cause any.
  if (!app.identities.isTrusted && isOver(subjects)) return subjects
  return unlessFailing(async () => (await app.credentials.find(request, token, claims)) && subjects)
}

const findKey: Find = (app, request, key, isOver) => {
  const { apiKeys } = app.ctx
  const name = apiKeys.recognise(key)
  if (name === undefined) return undefined
  const subjects = apiKeySubjects(name)
  const address = app.clientAddress(request) ?? LOCAL_ADDRESS
  const countedFor = (caller: ApiKeyCaller | undefined) =>
    caller?.mayComeFrom(address) ? subjects : undefined
  const caller = apiKeys.look(key)
  if (caller !== undefined) return countedFor(caller)
  if (asksNobody(request)) return undefined
  if (!apiKeys.isTrusted && isOver(subjects)) return subjects
  return unlessFailing(async () => countedFor(await app.apiKeys.find(request, key)))
}

/** A route that asks nobody who they are must work while nobody can tell. */
function asksNobody({ routeOptions }: FastifyRequest): boolean {
  const { access = 'public' } = routeOptions.config
  return access === 'public'
}

/** The answer unless asking fails: authentication waits for the same answer, and reports the failure. */
async function unlessFailing(ask: () => Promise<Subjects>): Promise<Subjects> {
  try {
    return await ask()
  } catch {
    return undefined
  }
}
