import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import type { ApiKeyCaller } from '#services/api-keys/caller.ts'
import { ApiKeyNotAllowed } from '#services/api-keys/errors.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import { type Demands, hiding, takesApiKeys } from './demands.ts'

/** Lets the sender of a token or key in, or throws; a promise when the database has to be asked. */
export type Entrance = (request: FastifyRequest, text: string) => Promise<void> | undefined

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
