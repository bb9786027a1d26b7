import { defineError } from '#lib/errors.ts'

export const ValidationFailed = defineError({
  code: 'validation_failed',
  status: 400,
  title: 'Invalid request',
  detail: 'The request has invalid values.',
})

export const InvalidJson = defineError({
  code: 'invalid_json',
  status: 400,
  title: 'Invalid JSON',
  detail: 'The body is not valid JSON (RFC 8259) in UTF-8.',
})

export const InvalidText = defineError({
  code: 'invalid_text',
  status: 400,
  title: 'Invalid text',
  detail: 'Text must not contain NUL characters or lone surrogates.',
})

export const BadRequest = defineError({
  code: 'bad_request',
  status: 400,
  title: 'Bad request',
  detail: 'The request is malformed.',
})

export const NotLocal = defineError({
  code: 'not_local',
  status: 403,
  title: 'For this machine only',
  detail:
    'The service runs with development settings, for its own machine only, and the request came from elsewhere. Its operator can set APP_ENVIRONMENT (docs/configuration.md).',
})

export const RouteNotFound = defineError({
  code: 'route_not_found',
  status: 404,
  title: 'Not found',
  detail: 'There is nothing at this URL.',
})

export const MethodNotAllowed = defineError({
  code: 'method_not_allowed',
  status: 405,
  title: 'Method not allowed',
  detail: 'This URL does not support this method; `Allow` names those that it supports.',
})

export const RequestTimeout = defineError({
  code: 'request_timeout',
  status: 408,
  title: 'Request timeout',
  detail: 'The request did not arrive in time.',
})

export const PayloadTooLarge = defineError({
  code: 'payload_too_large',
  status: 413,
  title: 'Payload too large',
  detail: 'The body is larger than the service accepts.',
})

export const UnsupportedMediaType = defineError({
  code: 'unsupported_media_type',
  status: 415,
  title: 'Unsupported media type',
  detail: 'The body must be `application/json`.',
})

export const HeadersTooLarge = defineError({
  code: 'headers_too_large',
  status: 431,
  title: 'Headers too large',
  detail: 'The request line and headers are larger than the service accepts.',
})

export const InternalError = defineError({
  code: 'internal_error',
  status: 500,
  title: 'Internal error',
  detail: 'Something went wrong. The request id identifies it in our logs.',
})

export const Overloaded = defineError({
  code: 'overloaded',
  status: 503,
  title: 'Overloaded',
  detail: 'The service has more work than it can do.',
})
