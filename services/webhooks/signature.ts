import { createHmac, randomBytes } from 'node:crypto'

// Standard Webhooks 1.0: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** Returns a new secret, as receivers are given it. */
export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64')
}

/** A message to be signed. */
export interface Signable {
  /** The same for every attempt, so that receivers know what they have had. */
  readonly id: string
  /** When it is sent; receivers refuse what is old. */
  readonly at: Date
  /** The very text that is sent. */
  readonly body: string
}

/** Returns the headers by which a receiver knows whom a message is from; one signature for each of the secrets. */
export function signedHeaders(
  { id, at, body }: Signable,
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1000)
  const signed = `${id}.${timestamp}.${body}`
  const signatures = secrets.map((secret) => `v1,${sign(secret, signed)}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}

function sign(secret: string, text: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
  return createHmac('sha256', key).update(text).digest('base64')
}
