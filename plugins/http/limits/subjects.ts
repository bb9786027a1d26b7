import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { networkOf } from '#lib/network/addresses.ts'
import { bearerToken } from '#plugins/api/tokens/bearer-token.ts'
import { LOCAL_ADDRESS } from '#plugins/http/request/client-address.ts'

/** Whose budget a request is counted against. */
export interface Subject {
  readonly kind: 'user' | 'address'
  readonly key: string
}

/** Addresses kept with their networks, which take a while to work out. */
const MAX_NETWORKS = 10_000

/**
 * Makes the function that names the subject of a request: the user when its token is alive, else the network. The
 * answer is a promise when the database has to be asked.
 *
 * @param isOver whether a request of that cost is known to be over the limit of a user's budget
 */
export function createSubjects(
  app: FastifyInstance,
  isOver: (key: string, cost: number) => boolean,
): (request: FastifyRequest, cost: number) => Subject | Promise<Subject> {
  const networks = new LRUCache<string, string>({ max: MAX_NETWORKS })

  function networkSubject(request: FastifyRequest): Subject {
    const address = app.clientAddress(request) ?? LOCAL_ADDRESS
    const network = networks.get(address) ?? networkOf(address)
    networks.set(address, network)
    return { kind: 'address', key: `address:${network}` }
  }

  async function ask(request: FastifyRequest, find: () => Promise<unknown>, user: Subject): Promise<Subject> {
    // Authentication waits for the same answer, and reports a failure.
    const owner = await find().catch(() => undefined)
    return owner === undefined ? networkSubject(request) : user
  }

  return (request, cost) => {
    const token = bearerToken(request)
    const claims = token === undefined ? undefined : app.tokens.peek(token)
    if (token === undefined || claims === undefined) return networkSubject(request)
    const user: Subject = { kind: 'user', key: `user:${claims.sub}` }
    if (app.credentials.look(claims) !== undefined) return user
    // A route that asks nobody who they are must work while nobody can tell.
    const { access = 'public' } = request.routeOptions.config
    if (access === 'public') return networkSubject(request)
    // Without a cache each question is a statement, and a user who is over the limit must not cause any.
    if (!app.identities.isTrusted && isOver(user.key, cost)) return user
    return ask(request, async () => app.credentials.find(request, token, claims), user)
  }
}
