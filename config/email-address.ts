import { domainToASCII } from 'node:url'

/*
 * The one rule for email addresses, of people and of ourselves: what is an address, which form of it is kept, and
 * which addresses every server can deliver to. Callers bound the length first.
 */

/** A fault of an address: it is not one, or most mail servers can't deliver to it. */
export type AddressFault = 'form' | 'undeliverable'

/** Most characters of an address and of what stands before its @ (RFC 5321 section 4.5.3.1). */
const MAX_ADDRESS = 254
const MAX_LOCAL_PART = 64

/** A dot-atom of ASCII (RFC 5322 section 3.2.3), which every server takes. */
const ASCII_LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/

/** The same with letters of every script (RFC 6531), which servers without SMTPUTF8 refuse. */
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u

/** A local part in quotes (RFC 5321 section 4.1.2), without characters that lead out of it. */
const QUOTED_LOCAL_PART = /^"[^"\\@<>\p{C}]+"$/u

/** Labels of letters, digits and hyphens; the last begins with a letter, which an IP address's does not. */
const DOMAIN =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** Such as `localhost`, for our own mail in development. */
const SINGLE_LABEL = /^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** A possible name of an international domain: no ASCII but letters, digits, hyphens and dots. */
const INTERNATIONAL = /^[A-Za-z0-9.\-\u0080-\u{10ffff}]+$/u

/**
 * Returns the form of an address that is kept and compared: in Unicode's NFC, an international domain in its ASCII
 * form (`xn--`, UTS 46), which every server can deliver to. The rest is as it was typed. A text that is not an
 * address comes back in NFC.
 */
export function canonicalEmail(text: string): string {
  const normal = text.normalize('NFC')
  const at = normal.lastIndexOf('@')
  const domain = normal.slice(at + 1)
  // domainToASCII reads a URL's host, so nothing that ends one may get there.
  if (at === -1 || isAscii(domain) || !INTERNATIONAL.test(domain)) return normal
  return normal.slice(0, at + 1) + (domainToASCII(domain) || domain)
}

/** Tells what is wrong with an address in its canonical form; undefined when mail can be delivered to it. */
export function addressFault(
  email: string,
  { singleLabel = false }: { singleLabel?: boolean } = {},
): AddressFault | undefined {
  const at = email.lastIndexOf('@')
  const [local, domain] = [email.slice(0, Math.max(at, 0)), email.slice(at + 1)]
  const isDomain = DOMAIN.test(domain) || (singleLabel && SINGLE_LABEL.test(domain))
  if (email.length > MAX_ADDRESS || local.length > MAX_LOCAL_PART || !isDomain) return 'form'
  if (ASCII_LOCAL_PART.test(local)) return undefined
  return LOCAL_PART.test(local) || QUOTED_LOCAL_PART.test(local) ? 'undeliverable' : 'form'
}

/**
 * Whether an account may have this address, in its canonical form: those from before the rule may have letters of
 * every script before the @.
 */
export function isKnownForm(email: string): boolean {
  return (
    addressFault(email) === undefined || (addressFault(email) === 'undeliverable' && !email.startsWith('"'))
  )
}

/** Returns `Name <address>` or an address with the address in its canonical form. */
export function canonicalMailbox(mailbox: string): string {
  const start = mailbox.lastIndexOf('<')
  if (start === -1 || !mailbox.endsWith('>')) return canonicalEmail(mailbox)
  return `${mailbox.slice(0, start + 1)}${canonicalEmail(mailbox.slice(start + 1, -1))}>`
}

/** Whether mail can come from a mailbox: its address is one that every server takes, or one of this machine. */
export function isSender(mailbox: string): boolean {
  const canonical = canonicalMailbox(mailbox)
  const address = canonical.endsWith('>') ? canonical.slice(canonical.lastIndexOf('<') + 1, -1) : canonical
  return addressFault(address, { singleLabel: true }) === undefined
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}
