import { Type } from '@sinclair/typebox'
import { RealtimeUnavailable } from '../errors.ts'
import type { PresenceSource } from '../presence/presence.ts'
import type { CentrifugoApi } from './api.ts'

/** Most connections that are named; the cluster has no pages, and would name all of them at once. */
const MAX_NAMED = 1000
const RETRY_AFTER_S = 5

const Stats = Type.Object({ num_clients: Type.Integer(), num_users: Type.Integer() })
const Clients = Type.Object({
  presence: Type.Record(Type.String(), Type.Object({ client: Type.String(), user: Type.String() })),
})

/** Who listens, as a Centrifugo cluster knows it, which keeps all connections. */
export class CentrifugoPresence implements PresenceSource {
  readonly #api: Pick<CentrifugoApi, 'ask'>

  constructor(api: Pick<CentrifugoApi, 'ask'>) {
    this.#api = api
  }

  async count(channel: string) {
    const { num_clients: clients, num_users: callers } = await this.#stats(channel)
    return { clients, callers }
  }

  async list(channel: string) {
    const { num_clients: clients } = await this.#stats(channel)
    if (clients > MAX_NAMED) return []
    const { presence } = await this.#available(this.#api.ask('presence', { channel }, Clients))
    const all = Object.values(presence).map(({ client, user }) => ({ client, caller: user }))
    // More may have come meanwhile.
    return all.slice(0, MAX_NAMED)
  }

  #stats(channel: string) {
    return this.#available(this.#api.ask('presence_stats', { channel }, Stats))
  }

  /** @throws RealtimeUnavailable when the cluster does not answer, or not as it should */
  #available<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw new RealtimeUnavailable({ cause: error, retryAfter: RETRY_AFTER_S })
    })
  }
}
