import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Test } from 'tap'
import { createKeyFile } from '#lib/signing-keys/signing-keys.ts'
import type { User } from '#schemas/users.ts'
import { createTestApp, type TestApp, type TestUser } from '#test/support/helper.ts'

/** The secret of the test environment is in config/test.toml; this one is the tests' own. */
export const SECRET = 'the secret of the tests of tokens, known to them alone'

/** How a forger signs: with a secret, with an Ed25519 key, or not at all. */
export type Signer = (input: string) => Buffer

export const hmac =
  (key: string, algorithm: 'sha256' | 'sha384' | 'sha512' = 'sha256'): Signer =>
  (input) =>
    createHmac(algorithm, key).update(input).digest()

export const ed25519 =
  (key: KeyObject): Signer =>
  (input) =>
    sign(null, Buffer.from(input), key)

export const nobody: Signer = () => Buffer.alloc(0)

/** base64url of bytes, of text, or of anything else as JSON. */
export function encode(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('base64url')
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return Buffer.from(text).toString('base64url')
}

/** Makes a token of any header and any payload. */
export function forge(header: unknown, payload: unknown, signer: Signer): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${encode(signer(input))}`
}

export interface Parts {
  header: Record<string, unknown>
  payload: Record<string, unknown>
}

/** Decodes a token without verifying it. */
export function parse(token: string): Parts {
  const [header, payload] = token
    .split('.')
    .slice(0, 2)
    .map((segment) => JSON.parse(Buffer.from(segment, 'base64url').toString()))
  return { header, payload }
}

export type Algorithm = 'HS256' | 'EdDSA'
export const ALGORITHMS: readonly Algorithm[] = ['HS256', 'EdDSA']

export interface Issuing extends TestApp {
  user: User
  as: TestUser
  /** Issues a valid token for the user and its session. */
  issue(): string
  /** Signs as the service does. */
  sign: Signer
}

/** Makes an application that signs with an algorithm, and lets the test sign as it does. */
export async function createIssuingApp(
  t: Test,
  algorithm: Algorithm,
  env: Record<string, string> = {},
): Promise<Issuing> {
  const key = await createKeyFile(t.testdir())
  const { privateKey = '' } = key
  const files: Record<string, string> = algorithm === 'EdDSA' ? { APP_JWT__SIGNING_KEY_FILE: key.file } : {}
  const base = { APP_JWT__ALGORITHM: algorithm, APP_JWT__SECRET: SECRET, ...files }
  const test = await createTestApp(t, { ...base, ...env })
  const as = await test.signUp()
  return {
    ...test,
    as,
    user: as.user,
    issue: () => test.app.tokens.issue(as.user, as.session_id),
    sign: algorithm === 'EdDSA' ? ed25519(createPrivateKey(privateKey)) : hmac(SECRET),
  }
}
