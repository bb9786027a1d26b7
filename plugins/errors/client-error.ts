import { randomUUID } from 'node:crypto'
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { ErrorClass } from '../../services/errors.ts'
import { endLingering } from '../lingering-close.ts'
import { BadRequest, HeadersTooLarge, PayloadTooLarge, RequestTimeout } from './http-errors.ts'
import { EARLY_HEADERS, PROBLEM_TYPE, problem } from './problem.ts'

/** Node's codes for what its parser refuses. */
const ERRORS: Readonly<Record<string, ErrorClass>> = {
  HPE_HEADER_OVERFLOW: HeadersTooLarge,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: PayloadTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: RequestTimeout,
}

/** Answers what is not even HTTP, before there is a request, by a problem document on the bare socket. */
export function answerClientError(
  this: FastifyInstance,
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const requestId = randomUUID()
  const publicError = new (ERRORS[error.code ?? ''] ?? BadRequest)()
  const { status } = publicError.definition
  const fields = { request_id: requestId, operation: 'unknown', status, remote_address: socket.remoteAddress }
  this.log.info({ ...fields, parser_code: error.code }, 'request refused')
  endLingering(socket, render(status, requestId, JSON.stringify(problem(publicError, requestId))))
}

function render(status: number, requestId: string, body: string): string {
  const headers = {
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    ...EARLY_HEADERS,
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n')
}

/** Whether another answer has begun, into which this one must not be written. Node keeps it here, undocumented. */
function isAnswering(socket: Socket): boolean {
  return (
    '_httpMessage' in socket &&
    socket._httpMessage instanceof ServerResponse &&
    socket._httpMessage.headersSent
  )
}
