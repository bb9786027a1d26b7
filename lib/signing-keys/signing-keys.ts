import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonWebKey } from '#schemas/signing-keys.ts'

/** An Ed25519 key of a file. */
export interface SigningKey {
  readonly file: string
  /** Its thumbprint (RFC 7638). */
  readonly kid: string
  readonly jwk: JsonWebKey
  /** PEM (SPKI). */
  readonly publicKey: string
  /** PEM (PKCS #8); a file may hold the public half only. */
  readonly privateKey?: string
  /** Whether every account of the machine can read a private key. */
  readonly isExposed: boolean
}

/** Bytes of a key file; a PEM of Ed25519 has 119. */
const MAX_FILE_BYTES = 65_536

/** A key file can't be used; the message completes "the file ...". */
export class KeyFileError extends Error {
  override name = 'KeyFileError'
}

/**
 * Makes an Ed25519 key and writes it to `{directory}/{kid}.pem`, which only its owner can read.
 *
 * @throws when the file can't be written
 */
export async function createKeyFile(directory: string): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = signingKey('', privateKey, false)
  const path = join(directory, `${key.kid}.pem`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(exportPrivate(privateKey))
  } finally {
    await file.close()
  }
  return { ...key, file: path }
}

/**
 * Reads a key file: PEM, private or public, Ed25519, without a passphrase.
 *
 * @throws KeyFileError
 */
export async function readKeyFile(file: string): Promise<SigningKey> {
  const pem = await readPem(file)
  const key = parseKey(pem, file)
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new KeyFileError(`${file} holds a key of the type ${key.asymmetricKeyType}, not ed25519`)
  }
  return signingKey(file, key, key.type === 'private' && (await isReadableByAll(file)))
}

async function readPem(file: string): Promise<string> {
  try {
    if ((await stat(file)).size <= MAX_FILE_BYTES) return await readFile(file, 'utf8')
  } catch (error) {
    throw new KeyFileError(`${file} cannot be read (${errorCode(error)})`)
  }
  throw new KeyFileError(`${file} is too large for a key`)
}

function parseKey(pem: string, file: string): KeyObject {
  try {
    return pem.includes('PRIVATE KEY-----') ? createPrivateKey(pem) : createPublicKey(pem)
  } catch (error) {
    throw new KeyFileError(`${file} holds no key in PEM without a passphrase (${errorCode(error)})`)
  }
}

async function isReadableByAll(file: string): Promise<boolean> {
  const { mode } = await stat(file)
  return (mode & 0o004) !== 0
}

function errorCode(error: unknown): string {
  /* c8 ignore next -- the errors of node:fs and node:crypto all have a code */
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function signingKey(file: string, key: KeyObject, isExposed: boolean): SigningKey {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const kid = thumbprint(x)
  return {
    file,
    kid,
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' },
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ...(key.type === 'private' ? { privateKey: exportPrivate(key) } : {}),
    isExposed,
  }
}

function exportPrivate(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** RFC 7638: the required members in the order of their names, nothing between them (RFC 8037 section 2). */
function thumbprint(x: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
}
