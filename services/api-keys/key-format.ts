import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Which key a text claims to be. */
export interface KeyName {
  /** Organization that the key belongs to. */
  readonly org: string
  readonly id: string
}

/** Marks our keys for people, scanners of secrets and the log's redaction. */
const PREFIX = 'gwk_'
const SECRET_BYTES = 32

/**
 * `gwk_`, and in hexadecimal digits the organization's id (32), the key's id (32), the secret (64) and the checksum of
 * everything before it (8). Published in docs/security.md for scanners of secrets.
 */
const FORM = /^gwk_(?<org>[0-9a-f]{32})(?<id>[0-9a-f]{32})[0-9a-f]{64}(?<checksum>[0-9a-f]{8})$/

/** Returns the text of a new key with a new secret of 256 random bits. It is shown once; its digest is kept. */
export function createKey({ org, id }: KeyName): string {
  const secret = randomBytes(SECRET_BYTES).toString('hex')
  const text = `${PREFIX}${hexOf(org)}${hexOf(id)}${secret}`
  return text + checksumOf(text)
}

/** Whether a text is meant to be one of our keys, so that no other way to authenticate is tried with it. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith(PREFIX)
}

/**
 * Returns which key a text claims to be, so that its digest can be looked up among its organization's; undefined for
 * what was never a key, such as one that is cut or mistyped, which costs no query.
 */
export function readKey(text: string): KeyName | undefined {
  const { org, id, checksum } = FORM.exec(text)?.groups ?? {}
  if (org === undefined || id === undefined || checksum === undefined) return undefined
  if (checksumOf(text.slice(0, -checksum.length)) !== checksum) return undefined
  // Any 128 bits have the form of an id; whether the key exists is for the database to say.
  return { org: idOf(org), id: idOf(id) }
}

/** Returns the end of a key, by which its owner recognises it in a list. It is the checksum's, so it reveals little. */
export function hintOf(key: string): string {
  return key.slice(-4)
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

function hexOf(id: string): string {
  return id.replaceAll('-', '')
}

function idOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
