import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isLocalhost, LOOPBACK } from '#lib/network/addresses.ts'
import { OutboundError } from './outbound-error.ts'

/** Returns all addresses of a host. Errors are rejections. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>

/**
 * Asks the name servers for all addresses of a host. Not by `dns.lookup`, whose threads are the password hashes' too: a few
 * name servers that don't answer would keep them all.
 *
 * @throws OutboundError
 */
export const resolveHost: Resolve = async (host, signal) => {
  if (isIP(host) > 0) return [host]
  if (isLocalhost(host)) return LOOPBACK
  const resolver = new Resolver()
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    signal.throwIfAborted()
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (addresses.length === 0) throw new OutboundError('dns_error')
    return addresses
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
