import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { OutboundError } from './outbound-error.ts'
import type { Resolve } from './resolve.ts'
import { hostOf, portOf } from './target.ts'

interface DirectOptions {
  readonly resolve: Resolve
  readonly isAllowedAddress: (address: string) => boolean
  readonly signal: AbortSignal
}

/**
 * Opens a connection to a URL's host, which is looked up once: all its addresses are checked, and only these are
 * connected to. Not a byte is sent before the address at the other end was checked too.
 *
 * @throws OutboundError
 */
export async function connectDirectly(url: URL, options: DirectOptions): Promise<Socket> {
  const { resolve, isAllowedAddress, signal } = options
  const host = hostOf(url)
  const addresses = await resolve(host, signal)
  if (!addresses.every(isAllowedAddress)) throw new OutboundError('blocked_address')
  const socket = connectTcp({ host, port: portOf(url), lookup: knownAddresses(addresses), signal })
  await opened(socket, 'connect', 'connection_error')
  if (!isAllowedAddress(socket.remoteAddress ?? '')) {
    socket.destroy()
    throw new OutboundError('blocked_address')
  }
  return socket
}

/**
 * Begins TLS on a connection; the certificate must be valid for the host.
 *
 * @throws OutboundError
 */
export async function secure(socket: Socket, host: string, ca?: string): Promise<TLSSocket> {
  const name = isIP(host) > 0 ? { host } : { host, servername: host }
  const secured = connectTls({ ...name, socket, ALPNProtocols: ['http/1.1'], ...(ca ? { ca } : {}) })
  await opened(secured, 'secureConnect', 'tls_error')
  return secured
}

/** Answers without asking anybody; net asks it, also for both families. */
function knownAddresses(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, _options, answer) => answer(null, all)
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', fault: 'connection_error' | 'tls_error') {
  return new Promise<void>((resolve, reject) => {
    const fail = (cause?: unknown) => {
      socket.destroy()
      reject(new OutboundError(fault, cause))
    }
    // Stays: an error that nobody listens for would end the process.
    socket.on('error', fail)
    socket.once('close', fail)
    socket.once(event, () => resolve())
  })
}
