import { BlockList, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The names that `server.trusted_proxies` may hold. */
const RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** Makes a test for addresses in their plain form: whether one is that of a trusted proxy. */
export function trustOf(proxies: readonly string[]): (address: string) => boolean {
  if (proxies.length === 0) return () => false
  const list = new BlockList()
  for (const range of proxies.flatMap((proxy) => RANGES[proxy] ?? proxy)) {
    const [network, bits] = networkOf(range)
    list.addSubnet(network, bits, isIPv4(network) ? 'ipv4' : 'ipv6')
  }
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** A range's network, as IPv4 where it is one inside IPv6. */
function networkOf(range: string): [string, number] {
  const [network = '', prefix] = range.split('/')
  const address = ipaddr.parse(network)
  const bits = Number(prefix ?? (address.kind() === 'ipv4' ? 32 : 128))
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96
  return isMapped ? [address.toIPv4Address().toString(), bits - 96] : [network, bits]
}
