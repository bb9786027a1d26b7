import { type Static, Type } from '@sinclair/typebox'
import { AdminSettings } from './admin.ts'
import { Audit } from './audit.ts'
import { Auth, Jwt } from './auth.ts'
import { BrokerSettings } from './broker.ts'
import { EncryptionSettings } from './encryption.ts'
import { Events } from './events.ts'
import { Files } from './files.ts'
import {
  BooleanOrAuto,
  Choice,
  CountOrAuto,
  Duration,
  List,
  Secret,
  SecretList,
  Section,
  Size,
  Text,
} from './kinds.ts'
import { Errors, Tracing } from './observability.ts'
import { Product } from './product.ts'
import { RateLimit } from './rate-limit.ts'
import { RealtimeSettings } from './realtime.ts'
import { Redis } from './redis.ts'
import { Tenancy } from './tenancy.ts'
import { Webhooks } from './webhooks.ts'

/** The environment when APP_ENVIRONMENT is not set. Every other default stands in config/default.toml. */
export const DEFAULT_ENVIRONMENT = 'development'

/** Environments where well-known secrets and a missing database URL are accepted; every other is strict. */
export const LENIENT_ENVIRONMENTS: readonly string[] = ['development', 'test']

const Server = Section('The HTTP listener, its limits and its shutdown.', {
  host: Text({ description: 'Address to listen on; `0.0.0.0` for all of IPv4, `::` for all.' }),
  local_only: Type.Boolean({
    description:
      'Serve this machine only: `host` must be a loopback address, and a request that a proxy brought from elsewhere gets 403. `true` as long as `APP_ENVIRONMENT` is not set, so that development settings do not reach a network by accident.',
  }),
  port: Type.Integer({ minimum: 0, maximum: 65_535, description: 'Port to listen on; 0 takes a free one.' }),
  workers: CountOrAuto({
    minimum: 1,
    maximum: 1024,
    description:
      'Processes that share the port: 1 is a single process; more are kept running by one that serves nothing itself; `auto` is one for each core.',
  }),
  public_url: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'Where clients reach the service: used in the API document and in links. Without it, `http://127.0.0.1:{server.port}`.',
    }),
  ),
  trusted_proxies: List({
    format: 'proxy-address',
    description:
      "Proxies whose `X-Forwarded-*` headers are believed: IP addresses, CIDR ranges, `loopback`, `linklocal`, `uniquelocal`. Empty: none, and the caller's address is the connection's.",
  }),
  forwarded_header: Choice(['x-forwarded-for', 'forwarded'], {
    description:
      'The header in which trusted proxies name the client: `X-Forwarded-For` or `Forwarded` (RFC 7239). The other one is not read, because a proxy that does not write it passes on what clients send.',
  }),
  body_limit: Size({ description: 'Largest request body; a larger one gets 413.' }),
  max_header_size: Size({
    minimum: '1KiB',
    maximum: '1MiB',
    description: "Largest sum of a request's line and headers; a larger one gets 431.",
  }),
  request_timeout: Duration({
    description:
      "Time in which a request's body must have arrived after its headers; files have `files.min_speed` in place of it.",
  }),
  headers_timeout: Duration({
    description: "Time in which a request's headers must have arrived; at most `request_timeout`.",
  }),
  stall_timeout: Duration({
    description:
      'Time for which not a byte may move on a connection while a request is under way: a client that does not read its answer is left then. Longer than any operation takes.',
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
      'Time that the whole shutdown may take, `drain_delay` included; past it the process exits with 1, or is killed 4 s later when its event loop is blocked.',
  }),
})

const Database = Section('PostgreSQL.', {
  url: Type.Optional(
    Secret({
      format: 'postgres-url',
      description:
        'Where the server is: `postgres://user:password@host:5432/name`, or `postgres://user@/name?host=/run/postgresql` for a Unix socket. User, password and name are percent-encoded. It says nothing else: neither its query nor `PG*` variables can change the options of connections. Without it, in development and test only, the service starts a PostgreSQL of its own.',
    }),
  ),
  replica_urls: SecretList({
    format: 'postgres-url',
    description:
      'Standbys of `url` that lists are read from, each written as `url` is; empty: none. All other settings of this section apply to them too. A list contains everything that was acknowledged before it was asked for: where a replica does not have it in time, the primary is read.',
  }),
  replica_patience: Duration({
    minimum: '0ms',
    maximum: '5s',
    description:
      'Time that a read waits for a replica to have what the primary has; then the primary is read. A replica that takes longer is not used until it has caught up.',
  }),
  max_connections: Type.Integer({
    minimum: 2,
    maximum: 10_000,
    description:
      'Connections that one process may hold open, to each of the servers; one of them is kept for short reads.',
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
  prepared_statements: BooleanOrAuto({
    description:
      'Prepare statements by name, once for each connection. `auto`: unless a pooler is between, which may not keep track of them. `true` behind one that does, such as PgBouncer 1.21 with `max_prepared_statements` of 200; through any other no connection is opened.',
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

const Cors = Section('Which browsers may call from other origins.', {
  allowed_origins: List({
    format: 'origin',
    description:
      'Origins exactly as browsers send them, such as `https://app.example.com`, `capacitor://localhost` or `chrome-extension://{id}`. Empty: none. `*` (all) only in development and test.',
  }),
  allowed_headers: List({
    format: 'header-name',
    description:
      'Request headers that pages may send in addition to those in docs/api.md, such as `X-App-Version`.',
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
  max_turn: Duration({
    minimum: '0ms',
    description:
      'How long requests that have come may keep one turn of the event loop. When turns of many requests have been longer for a quarter of a second, half of it is served in each, and what is left is refused, until turns have been short for a second. `0ms` turns it off.',
  }),
  max_waiting: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description:
      'Callers that may wait for a database connection. While there are as many, what needs one is refused, and while the event loop is busy too, everything is. `0` turns it off.',
  }),
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
  retry_after: Duration({ minimum: '1s', description: 'Value of `Retry-After` while requests are refused.' }),
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
    description:
      'The sender, with or without a name: `Groundwork <no-reply@example.com>`. Without one the name is `product.name`.',
  }),
  require_tls: Type.Boolean({
    description: 'Send nothing over a connection that is not encrypted, whatever the server offers.',
  }),
  link_base: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'Where the pages are that links in mails lead to (`/verify-email`, `/reset-password`, `/confirm-email`, `/choose-password`, each with `#token=...`). Without it, those of the service itself: `{server.public_url}/account`.',
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
      'Which `config/{environment}.toml` is read. Every environment except `development` and `test` must follow the rules of production.',
  }),
  role: Choice(['all', 'web', 'worker'], {
    description:
      'What the process does: `web` serves the API and enqueues jobs, `worker` works on jobs and serves only the routes of operations, `all` does both.',
  }),
  product: Product,
  server: Server,
  database: Database,
  redis: Redis,
  jwt: Jwt,
  auth: Auth,
  encryption: EncryptionSettings,
  cors: Cors,
  metrics: Metrics,
  docs: Docs,
  admin: AdminSettings,
  log: Log,
  tracing: Tracing,
  errors: Errors,
  tenancy: Tenancy,
  events: Events,
  audit: Audit,
  webhooks: Webhooks,
  broker: BrokerSettings,
  realtime: RealtimeSettings,
  files: Files,
  rate_limit: RateLimit,
  pressure: Pressure,
  email: Email,
})

export type Config = Static<typeof Config>
