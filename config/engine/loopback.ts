import ipaddr from 'ipaddr.js'

/**
 * Whether a host can only be this machine's loopback interface: `localhost` and what is below it (RFC 6761
 * section 6.3), or an address in any spelling that the system's resolver takes (`127.1`, `::ffff:127.0.0.1`).
 * Every other name counts as another machine's.
 */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (/^(?:.+\.)?localhost\.?$/.test(name)) return true
  return ipaddr.isValid(name) && ipaddr.process(name).range() === 'loopback'
}
