import type { FastifyError } from 'fastify'
import { type ErrorClass, ServiceError } from '#lib/errors.ts'
import type { Problem } from '#schemas/problem.ts'
import {
  BadRequest,
  InternalError,
  InvalidJson,
  PayloadTooLarge,
  UnsupportedMediaType,
  ValidationFailed,
} from './http-errors.ts'
import { invalidValues } from './invalid-values.ts'

/** Media type of problem documents (RFC 9457 section 3). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Headers of errors that are answered before any hook has run. */
export const EARLY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

/** The framework's own errors as our clients see them. */
const FRAMEWORK_ERRORS: Readonly<Record<string, ErrorClass>> = {
  FST_ERR_VALIDATION: ValidationFailed,
  FST_ERR_CTP_EMPTY_JSON_BODY: InvalidJson,
  FST_ERR_CTP_INVALID_JSON_BODY: InvalidJson,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: UnsupportedMediaType,
  FST_ERR_CTP_BODY_TOO_LARGE: PayloadTooLarge,
}

/** Returns the error that the client may see: ours as it is, everything unknown as an internal error. */
export function publicError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  if (!isFastifyError(error)) return new InternalError({ cause: error })
  const known = FRAMEWORK_ERRORS[error.code]
  if (known) return new known({ cause: error })
  const isClientError = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  return isClientError ? new BadRequest({ cause: error }) : new InternalError({ cause: error })
}

/** Renders an error as a problem document (RFC 9457). */
export function problem(error: ServiceError, requestId: string): Problem {
  const { code, status, title } = error.definition
  const document = {
    type: `urn:problem-type:${code}`,
    title,
    status,
    detail: error.message,
    code,
    request_id: requestId,
  }
  const { cause } = error
  if (error.errors) return { ...document, errors: [...error.errors] }
  if (!isFastifyError(cause) || !cause.validation) return document
  return { ...document, errors: invalidValues(cause.validation, String(cause.validationContext)) }
}

function isFastifyError(error: unknown): error is FastifyError {
  // Other libraries set a code and a status too, but of their own doings, not of the client's request.
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FST_')
}
