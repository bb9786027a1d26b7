import pg from 'pg'
import { defineError, ServiceError } from '#lib/errors.ts'
import { UnusableSession } from './unusable-session.ts'

export const DatabaseUnavailable = defineError({
  code: 'database_unavailable',
  status: 503,
  title: 'Database unavailable',
  detail: 'The service cannot reach its database at the moment.',
})

export const ValueNotStorable = defineError({
  code: 'value_not_storable',
  status: 400,
  title: 'Value not storable',
  detail: 'The request contains a value that the database cannot store.',
})

/** Seconds after which a client may try again. */
const RETRY_AFTER_SECONDS = 5

/** Codes of failed system calls under the driver. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** Messages of the driver's errors that have no code. */
const DRIVER_MESSAGES = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'not queryable',
  'Cannot use a pool after calling end',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
  // A password that is missing, or a server that cannot prove that it knows it.
  'SASL: ',
]

/** TLS that fails, in Node's words and OpenSSL's. https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes */
const TLS_CODES =
  /^ERR_(?:TLS|SSL)_|CERT|^(?:INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/

/**
 * SQLSTATE classes and codes that mean "not now": connection (08), authorisation (28), unknown database
 * (3D), resources (53), the server's disk (58), lock or statement timeout (55P03, 57014), shutdown and
 * start-up (57P), transaction timeouts (25P03, 25P04), a standby or a database that only reads (25006), and
 * tables that migrations have yet to make (42P01, 42703).
 * Lost races (40001, 40P01) are among them, because they get this far only when retrying did not help.
 * https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
const UNAVAILABLE_STATES =
  /^(?:08...|28...|3D...|53...|58...|55P03|57014|40001|40P01|57P0.|25006|25P0[34]|42P01|42703|0A000|26000|42P05)$/

/**
 * The states among these after which the connection is lost, leads to a server that is no longer the primary, or
 * keeps a prepared statement that can't work.
 */
const BREAKING_STATES = /^(?:08...|57P0.|25006|25P0[34]|0A000|26000|42P05)$/

/** The end of a partition's own index, which PostgreSQL names in place of the table's (docs/operations/partitions.md). */
const OF_PARTITION = /_p\d+$/

/**
 * Turns what the driver throws into what callers can act on. Errors of SQL itself, such as a broken
 * constraint, stay as they are.
 */
export function databaseError(error: unknown): unknown {
  if (error instanceof ServiceError) return error
  if (error instanceof pg.DatabaseError) {
    const state = error.code ?? ''
    if (UNAVAILABLE_STATES.test(state)) return unavailable(error)
    if (state.startsWith('22')) return new ValueNotStorable({ cause: error })
    return error
  }
  if (error instanceof Error && isConnectionError(error)) return unavailable(error)
  return error
}

/** Whether the connection that gave this error, the driver's own or ours about it, must not be used again. */
export function breaksConnection(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return breaksConnection(error.cause)
  if (error instanceof pg.DatabaseError) return BREAKING_STATES.test(error.code ?? '')
  return error instanceof Error && isConnectionError(error)
}

/** Serialization failure and deadlock: the server undid the whole transaction, so it only has to be retried. */
export const LOST_RACES: readonly string[] = ['40001', '40P01']

/**
 * The SQLSTATE of a transaction, or a statement of its own, that lost a race to others and may be repeated.
 * https://www.postgresql.org/docs/18/mvcc-serialization-failure-handling.html
 */
export function lostRace(error: unknown): string | undefined {
  const cause = error instanceof DatabaseUnavailable ? error.cause : error
  const state = cause instanceof pg.DatabaseError ? cause.code : undefined
  return state !== undefined && LOST_RACES.includes(state) ? state : undefined
}

/** For work whose caller has left: nobody will read the answer. */
export function callerLeft(): ServiceError {
  return unavailable(new Error('the caller left'))
}

/** The name of the constraint that the statement broke, if it broke one. */
export function brokenConstraint(error: unknown): string | undefined {
  if (!(error instanceof pg.DatabaseError && error.code?.startsWith('23'))) return undefined
  return error.constraint?.replace(OF_PARTITION, '')
}

function isConnectionError(error: Error): boolean {
  if (error instanceof UnusableSession) return true
  if ('code' in error && typeof error.code === 'string') {
    if (NETWORK_CODES.has(error.code) || TLS_CODES.test(error.code)) return true
  }
  return DRIVER_MESSAGES.some((message) => error.message.includes(message))
}

/** The database is unavailable for this reason. */
export function unavailable(cause: Error) {
  return new DatabaseUnavailable({ cause, retryAfter: RETRY_AFTER_SECONDS })
}
