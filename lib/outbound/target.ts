import { isIP } from 'node:net'

/** The URLs that messages may be sent to. */
export interface TargetRules {
  /** Whether `http:` is taken too. */
  readonly allowHttp: boolean
  /** Empty: every port. */
  readonly allowedPorts: readonly number[]
  /** The service's own hosts, with or without a port: messages to oneself could go round for ever. */
  readonly ownHosts: readonly string[]
  readonly isAllowedAddress: (address: string) => boolean
}

const MAX_LENGTH = 2048
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/** Returns what is wrong with a URL as a place to send messages to, in words that complete "must"; or nothing. */
export function targetFault(text: string, rules: TargetRules): string | undefined {
  if (text.length > MAX_LENGTH) return `be at most ${MAX_LENGTH} characters long`
  // What the parser would drop or turn into something else; other programs may read it otherwise.
  if (!/^[!-~]+$/.test(text) || /[\\#]/.test(text))
    return 'be ASCII without spaces, backslashes and a fragment'
  const [, protocol = '', authority = ''] = /^(https?:)\/\/([^/?]+)/.exec(text) ?? []
  if (authority === '' || !URL.canParse(text)) return 'be an absolute https URL'
  if (protocol === 'http:' && !rules.allowHttp) return 'begin with https://'
  const url = new URL(text)
  if (authority.includes('@')) return 'not hold a user name or password'
  if (!isWrittenPlainly(authority, url)) return 'name its host in the usual spelling'
  return hostFault(url, rules)
}

/**
 * Returns the host as DNS and sockets take it: a name, or an address without brackets.
 */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** Returns the port of a URL, its protocol's own if it names none. */
export function portOf({ port, protocol }: URL): number {
  return port === '' ? Number(DEFAULT_PORTS[protocol]) : Number(port)
}

/** The parser takes 0x7f.1 for 127.0.0.1, and %6c for l: what it had to rewrite is refused. */
function isWrittenPlainly(authority: string, url: URL): boolean {
  const written = authority.toLowerCase()
  return written === url.host || written === `${url.hostname}:${portOf(url)}`
}

function hostFault(url: URL, { allowedPorts, ownHosts, isAllowedAddress }: TargetRules): string | undefined {
  const port = portOf(url)
  if (allowedPorts.length > 0 && !allowedPorts.includes(port)) {
    return `use one of the ports ${allowedPorts.join(', ')}`
  }
  const host = hostOf(url)
  if (isIP(host) > 0) {
    if (!isAllowedAddress(host)) return 'name a host on the internet'
  } else if (!/^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?$/.test(host)) {
    return 'name its host in the usual spelling'
  }
  if (ownHosts.includes(url.hostname) || ownHosts.includes(`${url.hostname}:${port}`)) {
    return 'name another host than the service itself'
  }
  return undefined
}
