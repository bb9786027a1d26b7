import { createHash, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/**
 * Derives a key for one purpose from the secret that all instances share (HKDF, RFC 5869), so that no key serves two
 * purposes. It is a KeyObject, because Node finds out at each use of a Buffer, by throwing, that it is not one:
 * 11 of an HMAC's 13 us.
 */
export function deriveKey(secret: string, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `groundwork ${purpose}`, 32)))
}

/** Returns 256 bits that only the holder of the key can tell from random ones, base64url. */
export function deriveToken(key: KeyObject, from: string): string {
  return createHmac('sha256', key).update(from).digest('base64url')
}

/** The stored form of a token. SHA-256 is enough: the tokens are 256 random bits, which can't be guessed. */
export function digestToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
