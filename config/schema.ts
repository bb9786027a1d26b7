import { type Static, type TProperties, Type } from '@sinclair/typebox'
import type { FormatName } from './formats.ts'

/** The environment when APP_ENVIRONMENT is not set. Every other default stands in config/default.toml. */
export const DEFAULT_ENVIRONMENT = 'development'

/** Environments where well-known secrets and a missing database URL are accepted; every other is strict. */
export const LENIENT_ENVIRONMENTS: readonly string[] = ['development', 'test']

/** The longest time a Node timer can count (2^31 - 1 ms is a little under 25 days), with room to spare. */
const LONGEST_TIMER = '24d'

interface Bounds {
  /** The smallest value, as written. */
  minimum?: string
  /** The largest value, as written. */
  maximum?: string
}

/** Written with a unit (`15s`), loaded as milliseconds. */
function Duration({
  minimum = '1ms',
  maximum = LONGEST_TIMER,
  ...options
}: Bounds & { description: string }) {
  return Type.Unsafe<number>({ ...options, type: 'string', 'x-duration': { minimum, maximum } })
}

/** Written with a unit (`256KiB`), loaded as bytes. */
function Size({ minimum = '1B', maximum = '1GiB', ...options }: Bounds & { description: string }) {
  return Type.Unsafe<number>({ ...options, type: 'string', 'x-size': { minimum, maximum } })
}

/** Text that is never shown and that a file can hold (`_FILE`). */
function Secret(options: { description: string; format?: FormatName }) {
  return Type.String({ ...options, minLength: 1, 'x-secret': true })
}

function Text(options: { description: string; format?: FormatName }) {
  return Type.String({ ...options, minLength: 1 })
}

function Choice<const T extends readonly string[]>(values: T, options: { description: string }) {
  return Type.Unsafe<T[number]>({ ...options, type: 'string', enum: values })
}

/** A TOML array; comma-separated in a variable. */
function List({ format, ...options }: { description: string; format: FormatName }) {
  return Type.Array(Type.String({ format }), options)
}

function Section<T extends TProperties>(description: string, properties: T) {
  return Type.Object(properties, { description, additionalProperties: false })
}

const Server = Section('The HTTP listener, its limits and its shutdown.', {
  host: Text({ description: 'Address to listen on; `0.0.0.0` for all of IPv4, `::` for all.' }),
  port: Type.Integer({ minimum: 0, maximum: 65_535, description: 'Port to listen on; 0 takes a free one.' }),
  public_url: Text({
    format: 'public-url',
    description:
      'Where clients reach the service, without a trailing slash: used in the API document and in links.',
  }),
  trusted_proxies: List({
    format: 'proxy-address',
    description:
      "Proxies whose `X-Forwarded-*` headers are believed: IP addresses, CIDR ranges, `loopback`, `linklocal`, `uniquelocal`. Empty: none, and the caller's address is the connection's.",
  }),
  body_limit: Size({ description: 'Largest request body; a larger one gets 413.' }),
  max_header_size: Size({
    minimum: '1KiB',
    maximum: '1MiB',
    description: "Largest sum of a request's line and headers; a larger one gets 431.",
  }),
  request_timeout: Duration({ description: 'Time in which a whole request must have arrived.' }),
  headers_timeout: Duration({
    description: "Time in which a request's headers must have arrived; at most `request_timeout`.",
  }),
  keep_alive_timeout: Duration({
    description:
      "Time that an idle connection is kept; longer than the load balancer's own (often 60s), or it meets closed connections.",
  }),
  drain_delay: Duration({
    minimum: '0s',
    description:
      'Time between SIGTERM, when `/ready` turns 503, and the closing of the listener, so that load balancers notice.',
  }),
  shutdown_timeout: Duration({
    description:
      'Time that the whole shutdown may take, `drain_delay` included; past it the process exits with 1.',
  }),
})

const Database = Section('PostgreSQL.', {
  url: Type.Optional(
    Secret({
      format: 'postgres-url',
      description:
        'Where the server is: `postgres://user:password@host:5432/name`. Without it, in development and test only, the service starts a PostgreSQL of its own.',
    }),
  ),
  max_connections: Type.Integer({
    minimum: 2,
    maximum: 10_000,
    description: 'Connections that one process may hold open; one of them is kept for short reads.',
  }),
  connection_timeout: Duration({
    description: 'Time to wait for a connection, from the pool or from the server.',
  }),
  idle_timeout: Duration({ description: 'Time after which an unused connection is closed.' }),
  statement_timeout: Duration({
    description: 'Time that one statement may run before the server cancels it.',
  }),
  lock_timeout: Duration({ description: 'Time that a statement may wait for a lock.' }),
  idle_in_transaction_timeout: Duration({
    description: 'Time that a transaction may stay idle before the server ends its connection.',
  }),
  query_timeout: Duration({
    description:
      "The client's own limit for one query, for a server that hangs; longer than `statement_timeout`, which is the gentler one.",
  }),
  migrate_on_start: Type.Boolean({ description: 'Apply pending migrations at start.' }),
  tls: Choice(['off', 'require', 'verify'], {
    description:
      '`off`: not encrypted. `require`: encrypted, the certificate is not checked. `verify`: encrypted, the certificate is checked against the authorities and the host name.',
  }),
  tls_ca_file: Type.Optional(
    Text({ description: "Path of the certificate authorities (PEM) to trust in place of Node's own." }),
  ),
  tls_cert_file: Type.Optional(Text({ description: 'Path of a client certificate (PEM) to present.' })),
  tls_key_file: Type.Optional(Text({ description: "Path of the client certificate's private key (PEM)." })),
})

const Jwt = Section('Access tokens.', {
  algorithm: Choice(['HS256', 'EdDSA'], {
    description:
      'How access tokens are signed, and the only way that is accepted: `HS256` with `secret`, `EdDSA` with `signing_key_file`.',
  }),
  secret: Secret({
    format: 'signing-key',
    description:
      'Key that signs access tokens (HS256) and that others are derived from (cursors, one-time tokens), so needed with EdDSA too; at least 32 bytes; `openssl rand -base64 48` makes one.',
  }),
  signing_key_file: Type.Optional(
    Text({
      description:
        'Path of the private key (PEM, Ed25519) that signs with EdDSA; `npm run keys -- new` makes one.',
    }),
  ),
  verification_key_files: List({
    format: 'file-path',
    description:
      'Paths of further keys (PEM, Ed25519, public or private) whose tokens are accepted and that `/.well-known/jwks.json` lists: those that are coming, and those that are going.',
  }),
  expires_in: Duration({ minimum: '1s', maximum: '30d', description: 'Life of an access token.' }),
  issuer: Text({ description: 'The `iss` claim, written and demanded.' }),
  audience: Text({ description: 'The `aud` claim, written and demanded.' }),
})

const Argon2 = Section(
  'Password hashing with Argon2id. Hashes made with other parameters are renewed at login.',
  {
    memory_cost: Size({ minimum: '19MiB', maximum: '4GiB', description: 'Memory that one hash takes.' }),
    time_cost: Type.Integer({ minimum: 2, maximum: 1000, description: 'Passes over that memory.' }),
    parallelism: Type.Integer({ minimum: 1, maximum: 255, description: 'Lanes of one hash.' }),
    max_queue: Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'Hashes that may wait beyond those running; past it the answer is 503.',
    }),
  },
)

const BreachCheck = Section('Whether a new password is known from a breach.', {
  url: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'A k-anonymity range service: `GET {url}/{prefix}` with the first 5 hex digits of the SHA-1 gives `SUFFIX:COUNT` lines; `https://api.pwnedpasswords.com/range` is one. Without it there is no check.',
    }),
  ),
  timeout: Duration({ maximum: '30s', description: 'Time that the whole answer may take.' }),
  on_error: Choice(['open', 'closed'], {
    description:
      'When the service does not answer as it should: `open` accepts the password, `closed` refuses it with 503.',
  }),
})

/** Lives of things that no timer counts may be longer than a timer's. */
const LONGEST_LIFE = '3650d'

const Session = Section('Sessions: one sign-in and the tokens that follow from it.', {
  idle_timeout: Duration({ maximum: LONGEST_LIFE, description: 'Life of a session that is not used.' }),
  absolute_timeout: Duration({
    maximum: LONGEST_LIFE,
    description: 'Life of a session, however it is used.',
  }),
  refresh_grace: Duration({
    minimum: '0s',
    maximum: '10m',
    description:
      'How long a refresh token that was used already gives the same successor, for replies that got lost; after that it counts as stolen.',
  }),
})

const LoginLimit = Section('How many wrong passwords are borne, over all instances.', {
  per_account: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Wrong passwords for one email.',
  }),
  per_address: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Wrong passwords from one client address (an IPv6 address counts with its /64).',
  }),
  window: Duration({
    minimum: '1s',
    maximum: '30d',
    description: 'Time from the first wrong password until the count begins anew.',
  }),
})

const MailLimit = Section('How many mails anybody can make us send to one address, over all instances.', {
  per_account: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description:
      'Mails for one email; those to reset a password count apart from those about whose the address is.',
  }),
  window: Duration({
    minimum: '1s',
    maximum: '30d',
    description: 'Time from the first of them until the count begins anew.',
  }),
})

const OneTimeToken = Section('Life of the links in mails.', {
  verify_lifetime: Duration({ maximum: LONGEST_LIFE, description: 'Links that confirm an address.' }),
  reset_lifetime: Duration({ maximum: LONGEST_LIFE, description: 'Links that reset a password.' }),
  invitation_lifetime: Duration({
    maximum: LONGEST_LIFE,
    description: 'Links by which invited users choose a password.',
  }),
})

const Auth = Section('Accounts, passwords and sessions.', {
  registration: Choice(['open', 'verify', 'closed'], {
    description:
      '`open`: anyone gets an account at once. `verify`: anyone, once the address is confirmed by a mailed link. `closed`: only whom an admin invites.',
  }),
  password_words: List({
    format: 'password-word',
    description:
      'Words that no password may hold, in any case: the names of the product, the company, the teams; the user name and the address of its owner are refused anyway.',
  }),
  argon2: Argon2,
  breach_check: BreachCheck,
  session: Session,
  login_limit: LoginLimit,
  mail_limit: MailLimit,
  one_time_token: OneTimeToken,
})

const Cors = Section('Which browsers may call from other origins.', {
  allowed_origins: List({
    format: 'origin',
    description:
      'Origins exactly as browsers send them, such as `https://app.example.com`. Empty: none. `*` (all) only in development and test.',
  }),
})

const Metrics = Section('Who may read `/metrics`.', {
  token: Type.Optional(Secret({ description: 'Bearer token that `/metrics` asks for when set.' })),
  public: Type.Boolean({
    description:
      'Serve `/metrics` to anyone; without it and without a token it is 404 outside development and test.',
  }),
})

const Docs = Section('The API document and Swagger UI.', {
  enabled: Type.Boolean({ description: 'Serve `/docs`, `/docs/json` and `/docs/yaml`.' }),
})

const Log = Section('Logging, as JSON on standard output.', {
  level: Choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    description: 'Least severe level that is written.',
  }),
})

const Pressure = Section('Limits past which requests are answered 503 until the process has recovered.', {
  max_event_loop_delay: Duration({
    minimum: '0ms',
    description: 'Delay of the event loop; `0ms` turns it off.',
  }),
  max_event_loop_utilization: Type.Number({
    minimum: 0,
    maximum: 1,
    description: 'Share of time that the event loop is busy, 0 to 1; 1 turns it off.',
  }),
  max_heap_utilization: Type.Number({
    minimum: 0,
    maximum: 1,
    description: "Share of V8's heap limit in use, 0 to 1; 1 turns it off.",
  }),
  retry_after: Duration({ minimum: '1s', description: 'What `Retry-After` then says.' }),
})

const Email = Section('Mail that the service sends.', {
  smtp_url: Type.Optional(
    Secret({
      format: 'smtp-url',
      description:
        'The server to send by: `smtps://user:password@host:465` (TLS from the start) or `smtp://user:password@host:587` (STARTTLS where the server offers it). Without it, development and test keep mail in the mailbox at `/dev/mail`; elsewhere mail waits in the queue.',
    }),
  ),
  from: Text({
    format: 'mailbox',
    description: 'The sender, with or without a name: `Groundwork <no-reply@example.com>`.',
  }),
  require_tls: Type.Boolean({
    description: 'Send nothing over a connection that is not encrypted, whatever the server offers.',
  }),
  link_base: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'Where the pages are that links in mails lead to (`/verify-email`, `/reset-password`, `/confirm-email`, `/choose-password`). Without it, those of the service itself: `{server.public_url}/account`.',
    }),
  ),
  pages: Type.Boolean({
    description:
      "Serve the service's own pages under `/account`; turn it off when `link_base` leads elsewhere.",
  }),
})

/**
 * The configuration: one description, from which come validation, the static type and
 * docs/configuration.md. Durations are milliseconds and sizes are bytes once loaded.
 */
export const Config = Section('Groundwork.', {
  environment: Text({
    format: 'environment',
    description:
      'Which `config/{environment}.toml` is read. Every environment but `development` and `test` is held to the rules of production.',
  }),
  role: Choice(['all', 'web', 'worker'], {
    description:
      'What the process does: `web` serves the API and enqueues jobs, `worker` works on jobs and serves only the routes of operations, `all` does both.',
  }),
  server: Server,
  database: Database,
  jwt: Jwt,
  auth: Auth,
  cors: Cors,
  metrics: Metrics,
  docs: Docs,
  log: Log,
  pressure: Pressure,
  email: Email,
})

export type Config = Static<typeof Config>
