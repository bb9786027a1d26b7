import { randomUUID } from 'node:crypto'
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { ErrorClass, ServiceError } from '#lib/errors.ts'
import { BadRequest, HeadersTooLarge, PayloadTooLarge, RequestTimeout } from '../errors/http-errors.ts'
import { EARLY_HEADERS, PROBLEM_TYPE, problem } from '../errors/problem.ts'
import { endLingering } from './lingering-close.ts'

/** Node's codes for what its parser refuses. */
const ERRORS: Readonly<Record<string, ErrorClass>> = {
  HPE_HEADER_OVERFLOW: HeadersTooLarge,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: PayloadTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: RequestTimeout,
}

/** Connections that get no answers but those that are due. */
const broken = new WeakSet<Socket>()

/**
 * Answers what is not even HTTP, before there is a request, by a problem document on the bare socket. The
 * requests before it on the connection are answered first: a client, or a proxy that serves several clients by
 * one connection, would take this answer for theirs.
 */
export function answerClientError(
  this: FastifyInstance,
  error: Error & { code?: string },
  socket: Socket,
): void {
  // Whatever comes after the error makes the parser say it again.
  if (broken.has(socket)) return
  broken.add(socket)
  answerInTurn(this, error, socket)
}

function answerInTurn(app: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  const answer = answerUnderWay(socket)
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
  // It belongs to a request before the one that is broken.
  else if (answer?.req.complete) answer.once('finish', () => answerInTurn(app, error, socket))
  else if (answer?.headersSent) socket.destroy()
  else refuse(app, error, socket)
}

function refuse(app: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  const requestId = randomUUID()
  const publicError = new (ERRORS[error.code ?? ''] ?? BadRequest)()
  const { code, status } = publicError.definition
  app.noteRefusal('parser', code)
  const fields = { request_id: requestId, operation: 'unknown', status, remote_address: socket.remoteAddress }
  app.log.info({ ...fields, parser_code: error.code }, 'request refused')
  endLingering(socket, bareAnswer(publicError, requestId))
}

/** Returns the whole answer to a request that no hook sees, after which the connection ends. */
export function bareAnswer(
  error: ServiceError,
  requestId: string,
  further: Readonly<Record<string, string>> = {},
): string {
  const { status } = error.definition
  const body = JSON.stringify(problem(error, requestId))
  const headers = {
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    ...EARLY_HEADERS,
    ...further,
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n')
}

/** The answer that is due next on a connection, if one is. Node keeps it here, undocumented. */
function answerUnderWay(socket: Socket): ServerResponse | undefined {
  return '_httpMessage' in socket && socket._httpMessage instanceof ServerResponse
    ? socket._httpMessage
    : undefined
}
