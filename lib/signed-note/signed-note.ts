import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto'

/*
 * Signed notes (https://c2sp.org/signed-note): a text, an empty line, and a line for each signature with Ed25519:
 * `— NAME BASE64`, of which the first four bytes say by which key.
 */

const KEY_ID_BYTES = 4
const ED25519 = Buffer.of(1)
const SIGNATURE_LINE = /^\u2014 (\S+) ([A-Za-z0-9+/]+=*)$/

/** An Ed25519 key that notes are signed with, or checked by. */
export interface NoteKey {
  /** PEM (SPKI). */
  readonly publicKey: string
  /** PEM (PKCS #8). */
  readonly privateKey?: string
}

/** How a note's signatures are: one is right, none is of a known key, or one of a known key is wrong. */
export type NoteState = 'signed' | 'unsigned' | 'unknown key' | 'wrong signature'

/**
 * Returns the note of a text; without a key, one that nobody has signed.
 *
 * @param text lines, the last one ended too
 * @param name of the signer, without spaces
 */
export function signNote(
  text: string,
  name: string,
  key?: NoteKey & { readonly privateKey: string },
): string {
  if (key === undefined) return `${text}\n`
  const signature = sign(null, Buffer.from(text), createPrivateKey(key.privateKey))
  const encoded = Buffer.concat([keyId(name, key), signature]).toString('base64')
  return `${text}\n\u2014 ${name} ${encoded}\n`
}

/** Reads a note, and checks its signatures by the keys that are known. */
export function openNote(note: string, keys: readonly NoteKey[]): { text: string; state: NoteState } {
  const end = note.indexOf('\n\n')
  const text = note.slice(0, end + 1)
  const signatures = note
    .slice(end + 2)
    .split('\n')
    .flatMap((line) => [SIGNATURE_LINE.exec(line) ?? []])
    .filter(([line]) => line !== undefined)
  if (signatures.length === 0) return { text, state: 'unsigned' }
  for (const [, name = '', encoded = ''] of signatures) {
    const bytes = Buffer.from(encoded, 'base64')
    const key = keys.find((candidate) => keyId(name, candidate).equals(bytes.subarray(0, KEY_ID_BYTES)))
    if (key === undefined) continue
    const isRight = verify(
      null,
      Buffer.from(text),
      createPublicKey(key.publicKey),
      bytes.subarray(KEY_ID_BYTES),
    )
    return { text, state: isRight ? 'signed' : 'wrong signature' }
  }
  return { text, state: 'unknown key' }
}

function keyId(name: string, { publicKey }: NoteKey): Buffer {
  const { x = '' } = createPublicKey(publicKey).export({ format: 'jwk' })
  const key = Buffer.concat([Buffer.from(`${name}\n`), ED25519, Buffer.from(x, 'base64url')])
  return hash('sha256', key, 'buffer').subarray(0, KEY_ID_BYTES)
}
