import { isIP } from 'node:net'
import { isLocalhost, LOOPBACK } from '#lib/network/addresses.ts'
import type { InvalidValue } from '#schemas/problem.ts'

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
const MAX_HOST_LENGTH = 253
/** Labels of 63 characters at most (RFC 1035 section 2.3.4), the last of which begins with a letter. */
const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/** A fault of a URL: for people in words that complete "must", for programs by a code. */
export interface TargetFault extends Pick<InvalidValue, 'code' | 'params'> {
  readonly must: string
}

const malformed = (must: string): TargetFault => ({ code: 'invalid_format', must, params: {} })
const refusedHost = (must: string): TargetFault => ({ code: 'refused_host', must, params: {} })

/** Returns what is wrong with a URL as a place to send messages to, or nothing. */
export function targetFault(text: string, rules: TargetRules): TargetFault | undefined {
  if (text.length > MAX_LENGTH) {
    const must = `be at most ${MAX_LENGTH} characters long`
    return { code: 'too_long', must, params: { max_length: MAX_LENGTH } }
  }
  // What the parser would drop or turn into something else; other programs may read it otherwise.
  if (!/^[!-~]+$/.test(text) || /[\\#]/.test(text))
    return malformed('be ASCII without spaces, backslashes and a fragment')
  const [, protocol = '', authority = ''] = /^(https?:)\/\/([^/?]+)/.exec(text) ?? []
  if (authority === '' || !URL.canParse(text)) return malformed('be an absolute https URL')
  if (protocol === 'http:' && !rules.allowHttp)
    return { code: 'not_one_of', must: 'begin with https://', params: { allowed: ['https'] } }
  const url = new URL(text)
  if (authority.includes('@')) return malformed('not hold a user name or password')
  if (!isWrittenPlainly(authority, url)) return malformed('name its host in the usual spelling')
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

function hostFault(
  url: URL,
  { allowedPorts, ownHosts, isAllowedAddress }: TargetRules,
): TargetFault | undefined {
  const port = portOf(url)
  if (allowedPorts.length > 0 && !allowedPorts.includes(port)) {
    const must = `use one of the ports ${allowedPorts.join(', ')}`
    return { code: 'not_one_of', must, params: { allowed: allowedPorts.map(String) } }
  }
  const host = hostOf(url)
  if (isIP(host) > 0) {
    if (!isAllowedAddress(host)) return refusedHost('name a host on the internet')
  } else if (host.length > MAX_HOST_LENGTH || !HOST_NAME.test(host)) {
    return malformed('name its host in the usual spelling')
  } else if (isLocalhost(host) && !LOOPBACK.some(isAllowedAddress)) {
    return refusedHost('name a host on the internet')
  }
  if (ownHosts.includes(url.hostname) || ownHosts.includes(`${url.hostname}:${port}`)) {
    return refusedHost('name another host than the service itself')
  }
  return undefined
}
