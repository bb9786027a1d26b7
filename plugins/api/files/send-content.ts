import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Content } from '#services/files/content.ts'
import { evaluate, isRangeWanted } from './conditions.ts'
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
}

/**
 * Sends a content (RFC 9110 sections 13 and 14).
 *
 * @throws PreconditionFailed, RangeNotSatisfiable, FileStoreUnavailable
 */
export async function sendContent(
  reply: FastifyReply,
  content: Content,
  { download = false, embeddable = false }: Sending = {},
): Promise<FastifyReply> {
  const { headers, method } = reply.request
  const { size, mediaType, writtenAt: modified } = content
  const etag = `"${content.sha256.toString('base64url').slice(0, TAG_LENGTH)}"`
  const verdict = evaluate(headers, { etag, modified })
  if (verdict === 'failed') throw new PreconditionFailed()
  const range =
    // Nothing but GET has ranges.
    verdict === 'send' &&
    method === 'GET' &&
    isRangeWanted(headers['if-range']?.toString(), { etag, modified })
      ? readRange(headers.range, size)
      : undefined
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`)
    throw new RangeNotSatisfiable()
  }
  const isRead = verdict === 'send' && method === 'GET' && size > 0
  const disposition = contentDisposition(content.name, mediaType, download)
  // Conditions are about our tags, which the store does not know; it may be asked for what we have no condition left.
  if (isRead && content.locate !== undefined && !isConditional(headers)) {
    const location = await content.locate({ type: contentType(mediaType), disposition })
    return reply.header('cache-control', 'no-store').redirect(location, 302)
  }
  // Opened first, so that an error has none of these headers.
  const stream = isRead ? await content.open(range) : Readable.from([])
  reply.headers({
    etag,
    'last-modified': modified.toUTCString(),
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
  })
  if (verdict === 'unmodified') return reply.code(304).send()
  reply.headers({
    'content-type': contentType(mediaType),
    'content-disposition': disposition,
    'content-length': range === undefined ? size : range.end - range.start + 1,
    // Whatever it is, it runs nothing, and belongs to no origin.
    'content-security-policy': "default-src 'none';frame-ancestors 'none';sandbox",
    ...(embeddable ? { 'cross-origin-resource-policy': 'cross-origin' } : {}),
  })
  if (range === undefined) return reply.send(stream)
  return reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`).send(stream)
}

/** Whether a client that follows a redirect would repeat a condition that the store takes for its own. */
function isConditional(headers: IncomingHttpHeaders): boolean {
  return ['if-match', 'if-unmodified-since', 'if-none-match', 'if-modified-since', 'if-range'].some(
    (name) => headers[name] !== undefined,
  )
}
