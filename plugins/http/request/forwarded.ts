import { isIP } from 'node:net'
import { plainAddress } from '#lib/network/addresses.ts'

/** Proxies that are looked past: more than any chain has, so that a long header costs nothing. */
const MAX_HOPS = 32

/** A pair of RFC 7239 section 4; IPv6 without its quotes is taken too. */
const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=([\w!#$%&'*+.^`|~:[\]-]+|"(?:[^"\\]|\\.)*")[ \t]*(?=[;,]|$)/y

/**
 * The nodes of X-Forwarded-For, the nearest first.
 */
export function nodesOfList(header: string): string[] {
  const nodes: string[] = []
  let end = header.length
  while (end > 0 && nodes.length < MAX_HOPS) {
    const comma = header.lastIndexOf(',', end - 1)
    const node = header.slice(comma + 1, end).trim()
    if (node !== '') nodes.push(node)
    end = comma
  }
  return nodes
}

/**
 * The nodes of Forwarded (RFC 7239), the nearest first; '' where an element names none. Empty elements of the list count
 * for nothing (RFC 9110 section 5.6.1). A header that is not as the standard says has one node, which is not an address: a
 * client could have begun it with an open quote.
 */
export function nodesOfForwarded(header: string): string[] {
  const elements: (string[] | undefined)[] = [undefined]
  let position = 0
  while (position < header.length) {
    PAIR.lastIndex = position
    const [text, name = '', value = ''] = PAIR.exec(header) ?? []
    if (text !== undefined) {
      const nodes = elements.pop() ?? []
      if (name.toLowerCase() === 'for') nodes.push(value)
      elements.push(nodes)
      position += text.length
    }
    const separator = header[position]
    if (separator === ',') elements.push(undefined)
    else if (separator !== undefined && !/[; \t]/.test(separator)) return ['invalid']
    position++
  }
  const named = elements.filter((nodes) => nodes !== undefined)
  return (named.length > 0 ? named : [[]])
    .slice(-MAX_HOPS)
    .map((nodes) => (nodes.length > 1 ? 'invalid' : unquote(nodes[0] ?? '')))
    .reverse()
}

/**
 * The address of a node as proxies write it, in its plain form: with or without a port, a zone, brackets, or an IPv4
 * address inside IPv6. Undefined for `unknown`, `_hidden` and everything else.
 */
export function addressOf(node: string): string | undefined {
  const [, bracketed] = /^\[([^\]]+)\](?::\w+)?$/.exec(node) ?? []
  if (bracketed !== undefined) return bracketed.includes(':') ? strictAddress(bracketed) : undefined
  // Eight groups and a port, as some proxies write IPv6 without brackets.
  const [, host = node] = /^([\d.]+|(?:[\da-f]+:){7}[\da-f]+):\w+$/i.exec(node) ?? []
  return strictAddress(host)
}

/** `plainAddress` would take `1` for 0.0.0.1. */
function strictAddress(text: string): string | undefined {
  return isIP(text) === 0 ? undefined : plainAddress(text)
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
