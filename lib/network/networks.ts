import ipaddr from 'ipaddr.js'

/** A set of networks that addresses are looked for in. */
export class Networks {
  readonly #networks: readonly (readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number])[]

  /** @throws Error for a text that is not a network, such as `192.0.2.0/24` */
  constructor(networks: readonly string[]) {
    this.#networks = networks.map((text) => ipaddr.parseCIDR(text))
  }

  /** Whether one of the networks has the address; IPv4 within IPv6 counts as IPv4. */
  has(text: string): boolean {
    if (!ipaddr.isValid(text)) return false
    const address = ipaddr.process(text)
    return this.#networks.some(
      ([network, bits]) =>
        // Addresses of different kinds can't be compared.
        network.kind() === address.kind() && address.match(network, bits),
    )
  }
}

/** Bits before an IPv4 address within IPv6. */
const MAPPED_BITS = 96
/** Longest text of a network: IPv6 with all its digits. */
const MAX_LENGTH = 43

/** Four numbers as everybody writes them; ipaddr.js also reads octal and hexadecimal ones, and fewer of them. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!\/)|(?=\/))){4}\/(?:3[0-2]|[12]?\d)$/
const IPV6 = /^[0-9a-f:]+\/(?:12[0-8]|1[01]\d|[1-9]?\d)$/i

/** Whether a text is a network: an address and the number of its bits. */
export function isCidr(text: string): boolean {
  if (text.length > MAX_LENGTH) return false
  return IPV4.test(text) || (IPV6.test(text) && ipaddr.IPv6.isValidCIDR(text))
}

/**
 * Returns a network in its one form, without the bits of a host; IPv4 within IPv6 becomes IPv4, as `Networks` has it.
 *
 * @throws Error unless `isCidr`
 */
export function canonicalCidr(text: string): string {
  const [address, bits] = ipaddr.parseCIDR(text)
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= MAPPED_BITS) {
    return canonicalCidr(`${address.toIPv4Address()}/${bits - MAPPED_BITS}`)
  }
  const kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6
  return `${kind.networkAddressFromCIDR(`${address}/${bits}`)}/${bits}`
}
