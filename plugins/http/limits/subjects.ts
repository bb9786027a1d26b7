import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { LOCAL_ADDRESS, networkOf } from '#lib/network/addresses.ts'

/** Whose budget a request is counted against. */
export interface Subject {
  readonly kind: 'user' | 'address'
  readonly key: string
}

/**
 * Names the user of a request, if there is one; a promise when the database has to be asked.
 *
 * @param isOver whether a request of that cost is known to be over the limit of a user's budget
 */
export type UserFinder = (
  request: FastifyRequest,
  cost: number,
  isOver: (userId: string, cost: number) => boolean,
) => string | undefined | Promise<string | undefined>

/** Addresses kept with their networks, which take a while to work out. */
const MAX_NETWORKS = 10_000

/** Creates the function that names the network that a request is counted against. */
export function createNetworkSubjects(app: FastifyInstance): (request: FastifyRequest) => Subject {
  const networks = new LRUCache<string, string>({ max: MAX_NETWORKS })
  return (request) => {
    const address = app.clientAddress(request) ?? LOCAL_ADDRESS
    const network = networks.get(address) ?? networkOf(address)
    networks.set(address, network)
    return { kind: 'address', key: `address:${network}` }
  }
}

/** The budget of a user. */
export function userSubject(userId: string): Subject {
  return { kind: 'user', key: `user:${userId}` }
}
