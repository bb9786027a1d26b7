import ipaddr from 'ipaddr.js'
import { Networks } from '#lib/network/networks.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** The part of IPv6 that is given out to networks of the internet (RFC 4291 section 2.4). */
const GLOBAL_UNICAST = new Networks(['2000::/3'])

/** IPv4 inside IPv6 for networks that have only the latter (RFC 6052); others of that kind are local to a network. */
const NAT64 = new Networks(['64:ff9b::/96'])

/** Addresses that are public by their range, and belong to the inside of a cloud all the same. */
const INSIDE_CLOUDS = ['168.63.129.16']

/** Returns a check for addresses that messages may be sent to: those of the internet, and those in these networks. */
export function addressCheck(allowed: readonly string[] = []): (text: string) => boolean {
  const networks = new Networks(allowed)
  return (text) => {
    if (!ipaddr.isValid(text) || text.includes('%')) return false
    const address = unwrap(ipaddr.parse(text))
    return isPublic(address) || networks.has(address.toString())
  }
}

function isPublic(address: Address): boolean {
  // Everything special that is registered with IANA has another range; 6to4 and Teredo too, which few still use.
  if (address.range() !== 'unicast' || INSIDE_CLOUDS.includes(address.toString())) return false
  return address.kind() === 'ipv4' || GLOBAL_UNICAST.has(address.toString())
}

/** Returns the IPv4 address that an IPv6 address leads to, if that is what it is for. */
function unwrap(address: Address): Address {
  if (address instanceof ipaddr.IPv4) return address
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  return NAT64.has(address.toString()) ? ipaddr.fromByteArray(address.toByteArray().slice(-4)) : address
}
