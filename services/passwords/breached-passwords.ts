import { createHash } from 'node:crypto'
import type { Config } from '#config/schema/schema.ts'

type BreachCheck = Config['auth']['breach_check']

/** The part of a password's hash that leaves the service: one in a million passwords begins so. */
const PREFIX_LENGTH = 5

/** In bytes; a range of the largest service is about 40 KiB, and a little more with padding. */
const MAX_ANSWER_BYTES = 1024 * 1024

/** A line of the answer: the rest of a SHA-1 hash and in how many breaches it was; padding has 0. */
const LINE = /^([0-9A-F]{35}):(\d+)$/i

/**
 * Asks the range service whether a password is known from a breach. It learns 5 hex digits of the password's
 * SHA-1 and nothing else; without a service the answer is no.
 *
 * @throws when the service can't be reached, is too slow, or answers anything but a range
 */
export async function isBreached({ url, timeout }: BreachCheck, password: string): Promise<boolean> {
  if (url === undefined) return false
  const hash = createHash('sha1').update(password).digest('hex').toUpperCase()
  const range = await fetchRange(`${url}/${hash.slice(0, PREFIX_LENGTH)}`, timeout)
  return range.has(hash.slice(PREFIX_LENGTH))
}

async function fetchRange(url: string, timeout: number): Promise<Set<string>> {
  const response = await fetch(url, {
    // Answers of one length, so that who sees the traffic can't tell the range by it.
    headers: { 'add-padding': 'true', accept: 'text/plain', 'user-agent': 'groundwork' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`the breach check was answered with status ${response.status}`)
  }
  return parseRange(await readText(response))
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  /* c8 ignore next -- only answers without content, such as 204, have no body */
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer to the breach check is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}

function parseRange(text: string): Set<string> {
  const found = new Set<string>()
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue
    const [, suffix, count] = LINE.exec(line) ?? []
    if (suffix === undefined) throw new Error('the answer to the breach check is not a range')
    if (Number(count) > 0) found.add(suffix.toUpperCase())
  }
  return found
}
