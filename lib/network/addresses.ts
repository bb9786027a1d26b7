import ipaddr from 'ipaddr.js'

/** The address of what does not come over a network: commands, jobs, injected requests. */
export const LOCAL_ADDRESS = '127.0.0.1'

/** Bits of an IPv6 address that name the network: hosts choose the rest as they like (RFC 4291 section 2.5.4). */
const IPV6_NETWORK = 64

/** Returns an address in its plain form: no zone, no IPv4 inside IPv6; undefined if it is not an address. */
export function plainAddress(text: string): string | undefined {
  const address = text.split('%', 1)[0] ?? ''
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : undefined
}

/** Returns the unit in which attempts from an address are counted: the address, or the /64 of an IPv6 one. */
export function networkOf(text: string): string {
  const address = ipaddr.process(text)
  if (address.kind() === 'ipv4') return address.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${IPV6_NETWORK}`)}/${IPV6_NETWORK}`
}

/** This machine's own addresses, and what every name of `localhost` leads to (RFC 6761 section 6.3). */
export const LOOPBACK: readonly string[] = ['127.0.0.1', '::1']

/** Whether a name, in small letters, always means this machine. */
export function isLocalhost(host: string): boolean {
  return /(?:^|\.)localhost$/.test(host)
}
