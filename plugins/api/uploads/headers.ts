import type { IncomingHttpHeaders } from 'node:http'
import { InvalidUpload, TusVersionNotSupported } from '#services/uploads/errors.ts'

/** The version of tus that is spoken. */
export const TUS_VERSION = '1.0.0'

/** Which protocol a request speaks: tus, or draft-ietf-httpbis-resumable-upload. */
export type Protocol = 'tus' | 'draft'

/** Characters of `Upload-Metadata`. */
const MAX_METADATA = 4096

/**
 * Which protocol a request speaks; undefined if it does not say.
 *
 * @throws TusVersionNotSupported
 */
export function protocolOf(headers: IncomingHttpHeaders): Protocol | undefined {
  const version = headers['tus-resumable']
  if (version === undefined) return headers['upload-complete'] === undefined ? undefined : 'draft'
  if (version !== TUS_VERSION) throw new TusVersionNotSupported()
  return 'tus'
}

/**
 * A number of bytes; undefined without the header.
 *
 * @throws InvalidUpload
 */
export function readBytes(headers: IncomingHttpHeaders, name: string): number | undefined {
  const text = headers[name]
  if (text === undefined) return undefined
  if (!/^(?:0|[1-9]\d{0,14})$/.test(String(text))) throw invalid(name, 'a number of bytes')
  return Number(text)
}

/**
 * Whether the part is the last one, where the draft is spoken (`Upload-Complete`, a boolean of RFC 9651).
 *
 * @throws InvalidUpload
 */
export function readIsLast(headers: IncomingHttpHeaders): boolean {
  const text = headers['upload-complete']
  if (text === undefined || text === '?0') return false
  if (text !== '?1') throw invalid('upload-complete', '`?0` or `?1`')
  return true
}

const DIGEST_BYTES = { sha1: 20, sha256: 32 } as const

export const CHECKSUM_ALGORITHMS = Object.keys(DIGEST_BYTES).join(',')

type Checksum = { algorithm: keyof typeof DIGEST_BYTES; digest: Buffer }

/**
 * The digest of a part.
 *
 * @throws InvalidUpload
 */
export function readChecksum(headers: IncomingHttpHeaders): Checksum | undefined {
  const text = headers['upload-checksum']
  if (text === undefined) return undefined
  const [, algorithm, base64 = ''] = /^(sha1|sha256) ([A-Za-z0-9+/]{1,64}={0,2})$/.exec(String(text)) ?? []
  const digest = Buffer.from(base64, 'base64')
  if ((algorithm === 'sha1' || algorithm === 'sha256') && digest.length === DIGEST_BYTES[algorithm])
    return { algorithm, digest }
  throw invalid('upload-checksum', 'an algorithm (sha1, sha256) and a digest in base64')
}

/** A client's own words on an upload. */
interface Metadata {
  /** As it is; undefined without any. */
  readonly text: string | undefined
  readonly values: ReadonlyMap<string, string>
}

/**
 * `Upload-Metadata`: keys, each with a value in base64.
 *
 * @throws InvalidUpload
 */
export function readMetadata(headers: IncomingHttpHeaders): Metadata {
  const text = headers['upload-metadata']
  const values = new Map<string, string>()
  if (text === undefined || text === '') return { text: undefined, values }
  if (typeof text !== 'string' || text.length > MAX_METADATA)
    throw invalid('upload-metadata', `at most ${MAX_METADATA} characters`)
  for (const pair of text.split(',')) {
    const [, key = '', base64 = ''] = /^\s*([!-+\--~]+)(?: ([A-Za-z0-9+/]*={0,2}))? *$/.exec(pair) ?? []
    if (key === '' || values.has(key))
      throw invalid('upload-metadata', 'pairs of a key and a value in base64, each key once')
    values.set(key, decode(base64))
  }
  return { text, values }
}

function decode(base64: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    throw invalid('upload-metadata', 'text in UTF-8')
  }
}

function invalid(header: string, must: string): Error {
  return new InvalidUpload({ detail: `\`${header}\` must be ${must}.` })
}
