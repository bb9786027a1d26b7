import type { KeyObject } from 'node:crypto'
import { deriveToken } from '#lib/secrets/secrets.ts'

/** An invitation as it was last sent: sending it again changes its end, and thereby its token. */
export interface SentInvitation {
  readonly org: string
  readonly id: string
  /** RFC 3339, UTC, milliseconds. */
  readonly expires_at: string
}

/** Bytes of the organization's id, and of the secret: 128 bits, which can't be guessed. */
const PART_BYTES = 16

/**
 * Returns the token of an invitation: the organization's id and a derived secret. It has the length of other mailed
 * tokens.
 *
 * @param key `deriveKey(secret, 'one-time tokens')`
 */
export function invitationToken(key: KeyObject, { org, id, expires_at }: SentInvitation): string {
  const secret = Buffer.from(deriveToken(key, `invitation ${org} ${id} ${expires_at}`), 'base64url')
  const named = Buffer.from(org.replaceAll('-', ''), 'hex')
  return Buffer.concat([named, secret.subarray(0, PART_BYTES)]).toString('base64url')
}

/** Returns the id of the organization that a token names; undefined for what can't be one of ours. */
export function organizationOf(token: string): string | undefined {
  const bytes = Buffer.from(token, 'base64url')
  // One spelling only: Buffer.from forgives others.
  if (bytes.length !== 2 * PART_BYTES || bytes.toString('base64url') !== token) return undefined
  const hex = bytes.toString('hex', 0, PART_BYTES)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
