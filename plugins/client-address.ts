import type { FastifyRequest } from 'fastify'
import { plainAddress } from '../services/attempts/addresses.ts'

/** Who causes what comes over no network. */
export const LOCAL_ADDRESS = '127.0.0.1'

/**
 * Where a request came from, in its plain form: the connection's address, or what trusted proxies say, of which
 * the rightmost that is not a trusted proxy itself counts (`server.trusted_proxies`).
 */
export function clientAddress({ ip, socket }: FastifyRequest): string {
  // A trusted proxy may still send nonsense; then its own address has to do.
  return plainAddress(ip) ?? plainAddress(socket.remoteAddress ?? '') ?? LOCAL_ADDRESS
}
