import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createLru } from '#lib/cache/lru.ts'
import { LOCAL_ADDRESS, networkOf } from '#lib/network/addresses.ts'

/** Whose budget a request is counted against. */
export interface Subject {
  readonly kind: 'user' | 'api_key' | 'organization' | 'address'
  readonly key: string
}

/**
 * Names who sends a request, if that is known: the subjects that it is counted against, one after the other. A promise
 * when the database has to be asked.
 *
 * @param isOver whether a request of that cost is known to be over the limit of one of the subjects
 */
export type CallerFinder = (
  request: FastifyRequest,
  cost: number,
  isOver: (subjects: readonly Subject[], cost: number) => boolean,
) => readonly Subject[] | undefined | Promise<readonly Subject[] | undefined>

/** Addresses kept with their networks, which take a while to work out. */
const MAX_NETWORKS = 10_000

/** Creates the function that names the network that a request is counted against. */
export function createNetworkSubjects(app: FastifyInstance): (request: FastifyRequest) => Subject {
  const networks = createLru<string>(MAX_NETWORKS)
  return (request) => {
    const address = app.clientAddress(request) ?? LOCAL_ADDRESS
    const network = networks.get(address) ?? networkOf(address)
    networks.set(address, network)
    return { kind: 'address', key: `address:${network}` }
  }
}

/** The budget of a user. */
export function userSubjects(userId: string): readonly Subject[] {
  return [{ kind: 'user', key: `user:${userId}` }]
}

/** The budgets of an API key, and of all keys of its organization together. */
export function apiKeySubjects({ org, id }: { org: string; id: string }): readonly Subject[] {
  return [
    { kind: 'api_key', key: `api_key:${id}` },
    { kind: 'organization', key: `organization:${org}` },
  ]
}
