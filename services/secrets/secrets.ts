import { createHash, createHmac, hkdfSync } from 'node:crypto'

/**
 * Gives a key for one purpose from the secret that all instances share (HKDF, RFC 5869), so that no key is
 * ever used for two things.
 */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `groundwork ${purpose}`, 32))
}

/** Gives 256 bits that only the holder of the key can tell from random ones, base64url. */
export function deriveToken(key: Buffer, from: string): string {
  return createHmac('sha256', key).update(from).digest('base64url')
}

/** What is stored of a token. SHA-256 is enough: the tokens are 256 random bits, which can't be guessed. */
export function digestToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
