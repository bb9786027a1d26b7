import { UnusableSession } from '#lib/database/unusable-session.ts'

/** By SQLSTATE, by the system's code, or by Node's. https://www.postgresql.org/docs/18/errcodes-appendix.html */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /^28P01$/,
    'PostgreSQL refuses the user name or the password: correct them in APP_DATABASE__URL (or the file of ' +
      "APP_DATABASE__URL_FILE), or set the role's password by ALTER ROLE.",
  ],
  [
    /^28000$/,
    'PostgreSQL does not let us in from here: create the role of APP_DATABASE__URL, or add a line for it to ' +
      "the server's pg_hba.conf.",
  ],
  [
    /^3D000$/,
    'The database does not exist: create it with CREATE DATABASE, owned by our role, or correct the name in ' +
      'APP_DATABASE__URL.',
  ],
  [/^42501$/, 'Our role may not do this: make it the owner of the database (ALTER DATABASE .. OWNER TO ..).'],
  [
    /^53300$/,
    'PostgreSQL has no connection left: raise its max_connections, or lower APP_DATABASE__MAX_CONNECTIONS of ' +
      'the instances.',
  ],
  [/^(?:53100|ENOSPC)$/, 'The disk of the server is full: make room before anything else.'],
  [/^57P03$/, 'PostgreSQL is starting up or shutting down: wait, and look at its log if that goes on.'],
  [
    /^ECONNREFUSED$/,
    'Nothing listens there: start PostgreSQL, or correct host and port in APP_DATABASE__URL.',
  ],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'The host has no address: correct it in APP_DATABASE__URL, or fix DNS.'],
  [
    /^(?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    'The host does not answer: look at firewalls and routes between here and the server.',
  ],
  [
    /CERT|^HOSTNAME_MISMATCH$|^ERR_(?:TLS|SSL)_/,
    "The server's certificate is not trusted: name its authority in APP_DATABASE__TLS_CA_FILE, and use the " +
      'host name that it was made for in APP_DATABASE__URL.',
  ],
]

/** Messages of the driver that come without a code. */
const BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [
    /does not support SSL/,
    'The server speaks no TLS: turn it on there (ssl = on), or set APP_DATABASE__TLS=off where the network is yours alone.',
  ],
  [/timeout expired|timeout exceeded/, 'The server does not answer: look at it, and at the network between.'],
  [/^SASL: /, 'PostgreSQL asks for a password: put one into APP_DATABASE__URL.'],
]

/** Says what to do about a database that does not let us in; undefined for any other error. */
export function databaseAdvice(error: unknown): string | undefined {
  if (error instanceof AggregateError) return databaseAdvice(error.errors[0])
  if (!(error instanceof Error)) return undefined
  if (error instanceof UnusableSession) return 'Do what it says (docs/operations/database.md).'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const found =
    ADVICE.find(([pattern]) => pattern.test(code)) ??
    BY_MESSAGE.find(([pattern]) => pattern.test(error.message))
  return found?.[1]
}
