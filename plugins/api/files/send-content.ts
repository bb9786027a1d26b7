import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { ByteRange } from '#lib/object-store/object-store.ts'
import type { Content } from '#services/files/content.ts'
import { evaluate, isRangeWanted, type Validators } from './conditions.ts'
import { contentDisposition, contentType } from './disposition.ts'
import { PreconditionFailed, RangeNotSatisfiable } from './errors.ts'
import { readRange } from './ranges.ts'

/** Characters of the digest that an entity tag has: 128 bits tell any two contents apart. */
const TAG_LENGTH = 22

/** How content is sent. */
export interface Sending {
  /** Whether browsers always save it. */
  readonly download?: boolean
  /** Whether pages of other origins may show it. */
  readonly embeddable?: boolean
  /** Whether the proxy in front of the service can send what it is handed over (`files.accel_prefix`). */
  readonly toProxy?: boolean
}

/**
 * Sends a content (RFC 9110 sections 13 and 14).
 *
 * @throws PreconditionFailed, RangeNotSatisfiable, FileStoreUnavailable
 */
export async function sendContent(
  reply: FastifyReply,
  content: Content,
  { download = false, embeddable = false, toProxy = false }: Sending = {},
): Promise<FastifyReply> {
  const { headers, method } = reply.request
  const { size, mediaType, writtenAt: modified } = content
  const etag = `"${content.sha256.toString('base64url').slice(0, TAG_LENGTH)}"`
  const verdict = evaluate(headers, { etag, modified })
  if (verdict === 'failed') throw new PreconditionFailed()
  // Nothing but GET has ranges.
  const isSent = verdict === 'send' && method === 'GET'
  const range = isSent ? wantedRange(headers, { etag, modified }, size) : undefined
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`)
    throw new RangeNotSatisfiable()
  }
  const isRead = isSent && size > 0
  const disposition = contentDisposition(content.name, mediaType, download)
  // Conditions are about our tags, which the store does not know; it may be asked for what we have no condition left.
  if (isRead && content.locate !== undefined && !isConditional(headers)) {
    const location = await content.locate({ type: contentType(mediaType), disposition })
    return reply.header('cache-control', 'no-store').redirect(location, 302)
  }
  const isHanded = isRead && toProxy && isForProxy(headers, range)
  // Found or opened first, so that an error has none of these headers.
  const handed = isHanded ? await content.handOver?.() : undefined
  const stream = isRead && handed === undefined ? await content.open(range) : Readable.from([])
  reply.headers({
    etag,
    'last-modified': modified.toUTCString(),
    'cache-control': 'private, no-cache',
  })
  if (verdict === 'unmodified') return reply.header('accept-ranges', 'bytes').code(304).send()
  reply.headers({
    'content-type': contentType(mediaType),
    'content-disposition': disposition,
    // Whatever it is, it runs nothing, and belongs to no origin.
    'content-security-policy': "default-src 'none';frame-ancestors 'none';sandbox",
    ...(embeddable ? { 'cross-origin-resource-policy': 'cross-origin' } : {}),
  })
  // The proxy evaluates `Range` and says so itself.
  if (handed !== undefined) return reply.header('x-accel-redirect', handed).send('')
  return sendBytes(reply, stream, range, size)
}

/** Sends the bytes of a part, or of all. */
function sendBytes(
  reply: FastifyReply,
  stream: Readable,
  range: ByteRange | undefined,
  size: number,
): FastifyReply {
  reply.header('accept-ranges', 'bytes')
  if (range === undefined) return reply.header('content-length', size).send(stream)
  const { start, end } = range
  reply.headers({ 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${size}` })
  return reply.code(206).send(stream)
}

function wantedRange(
  headers: IncomingHttpHeaders,
  validators: Validators,
  size: number,
): ReturnType<typeof readRange> {
  return isRangeWanted(headers['if-range']?.toString(), validators)
    ? readRange(headers.range, size)
    : undefined
}

/**
 * Whether the proxy would come to the same answer: it takes a `Range` that we ignore for an error, and fails conditions on
 * a tag or a time that it does not know.
 */
function isForProxy(headers: IncomingHttpHeaders, range: ByteRange | undefined): boolean {
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return false
  return headers.range === undefined || range !== undefined
}

/** Whether a client that follows a redirect would repeat a condition that the store takes for its own. */
function isConditional(headers: IncomingHttpHeaders): boolean {
  return ['if-match', 'if-unmodified-since', 'if-none-match', 'if-modified-since', 'if-range'].some(
    (name) => headers[name] !== undefined,
  )
}
