import type { FastifyRequest } from 'fastify'
import { UnsupportedMediaType } from '#plugins/http/errors/http-errors.ts'
import { isFileName } from '#schemas/files.ts'
import type { Part } from '#services/uploads/append.ts'
import { InvalidUpload } from '#services/uploads/errors.ts'
import type { NewUpload } from '#services/uploads/uploads.ts'
import * as read from './headers.ts'

/** Types of a body that goes on with an upload: those of tus and of the draft. */
const PART_TYPES: ReadonlySet<string> = new Set([
  'application/offset+octet-stream',
  'application/partial-upload',
])

/** Name of a file whose client says none. */
const NAMELESS = 'upload'

/**
 * Reads the upload that a request creates.
 *
 * @throws InvalidUpload, TusVersionNotSupported, UnsupportedMediaType
 */
export function readNewUpload(request: FastifyRequest): NewUpload {
  const { headers } = request
  const protocol = protocolOf(request)
  const length = read.readBytes(headers, 'upload-length')
  const { text: metadata, values } = read.readMetadata(headers)
  const isDeferred = headers['upload-defer-length'] === '1'
  if (protocol === 'tus' && (length === undefined) !== isDeferred)
    throw new InvalidUpload({ detail: 'Say either `Upload-Length`, or `Upload-Defer-Length: 1`.' })
  const isLast = read.readIsLast(headers)
  const part = hasBody(request) || isLast ? partOf(request, 0) : undefined
  if (part !== undefined && protocol === 'tus') assertType(request)
  return { name: nameOf(values), length, metadata, part }
}

/**
 * Reads the bytes with which a request goes on with an upload.
 *
 * @throws InvalidUpload, TusVersionNotSupported, UnsupportedMediaType
 */
export function readPart(request: FastifyRequest): Part {
  protocolOf(request)
  const offset = read.readBytes(request.headers, 'upload-offset')
  if (offset === undefined) throw new InvalidUpload({ detail: '`upload-offset` is missing.' })
  if (hasBody(request)) assertType(request)
  return partOf(request, offset)
}

/** @throws InvalidUpload, TusVersionNotSupported */
function protocolOf({ headers }: FastifyRequest): read.Protocol {
  const protocol = read.protocolOf(headers)
  if (protocol !== undefined) return protocol
  throw new InvalidUpload({ detail: 'Say `Tus-Resumable: 1.0.0`, or `Upload-Complete`.' })
}

function partOf(request: FastifyRequest, offset: number): Part {
  const { headers, raw } = request
  const { pieces, length: bytes } = request.upload()
  return {
    offset,
    pieces,
    bytes,
    stop: () => void raw.destroy(),
    length: read.readBytes(headers, 'upload-length'),
    isLast: read.readIsLast(headers),
    checksum: read.readChecksum(headers),
  }
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** @throws UnsupportedMediaType */
function assertType({ headers }: FastifyRequest): void {
  // Without its parameters, which neither of them has.
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1)
  if (PART_TYPES.has(type.trim().toLowerCase())) return
  throw new UnsupportedMediaType({ detail: `The body must be ${[...PART_TYPES].join(' or ')}.` })
}

/** @throws InvalidUpload */
function nameOf(values: ReadonlyMap<string, string>): string {
  const name = (values.get('filename') ?? values.get('name') ?? NAMELESS).normalize('NFC')
  if (isFileName(name)) return name
  throw new InvalidUpload({
    detail:
      'The name of the file must have 1 to 255 characters, something visible among them and no slashes or control ' +
      'characters, and be neither `.` nor `..`.',
  })
}
