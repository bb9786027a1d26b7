import { LENIENT_ENVIRONMENTS } from '../schema/schema.ts'
import type { Candidate } from './candidate.ts'
import { type DatabaseAddress, parseDatabaseUrl, printable } from './database-url.ts'
import { formats } from './formats.ts'
import { locate, variableName } from './keys.ts'
import { tidy } from './tidy.ts'
import { valueAt } from './toml-files.ts'

/** Values of `database.tls` that are at least as strict as a given libpq sslmode. */
const SATISFIED_BY: Readonly<Record<string, readonly string[]>> = {
  disable: ['off'],
  allow: ['off', 'require', 'verify'],
  prefer: ['off', 'require', 'verify'],
  'no-verify': ['require', 'verify'],
  require: ['require', 'verify'],
  'verify-ca': ['verify'],
  'verify-full': ['verify'],
}

/** Files that libpq's parameters and variables name, and the settings that own them. */
const FILES = {
  sslrootcert: 'database.tls_ca_file',
  sslcert: 'database.tls_cert_file',
  sslkey: 'database.tls_key_file',
}

/** Parameters of libpq and of drivers, and the settings that own what they say. */
const OWNERS: Readonly<Record<string, string>> = {
  ssl: 'database.tls',
  connect_timeout: 'database.connection_timeout',
  statement_timeout: 'database.statement_timeout',
  lock_timeout: 'database.lock_timeout',
  query_timeout: 'database.query_timeout',
  idle_in_transaction_session_timeout: 'database.idle_in_transaction_timeout',
  pgbouncer: 'database.prepared_statements',
  prepare_threshold: 'database.prepared_statements',
  pool_size: 'database.max_connections',
  connection_limit: 'database.max_connections',
}

/** Variables that OpenTelemetry's exporter would read by itself, whatever the configuration says. */
const OTLP_VARIABLES =
  /^OTEL_EXPORTER_OTLP_(?:TRACES_)?(?:HEADERS|COMPRESSION|CERTIFICATE|CLIENT_KEY|CLIENT_CERTIFICATE)$/

/**
 * Every parameter of a connection has one owner: its setting. What stands elsewhere is refused where it asks for
 * something else, and accepted where it asks for no more (docs/decisions/031-one-owner-for-connections.md).
 */
export function checkConnections(candidate: Candidate): string[] {
  return [
    ...checkDatabase(candidate),
    ...checkNode(candidate),
    ...checkTraces(candidate),
    ...checkProxies(candidate),
  ]
}

function checkDatabase(candidate: Candidate): string[] {
  const { values, sources, variables: env } = candidate
  const where = locate('database.url', sources)
  const primary = readAddress(valueAt(values, 'database.url'))
  const replicas = checkReplicas(candidate, primary)
  if (primary === undefined) return replicas
  return [
    ...checkAddress(candidate, primary, where),
    ...checkTlsOf(candidate, env['PGSSLMODE'], 'PGSSLMODE'),
    ...checkFiles(candidate, 'the variable', (name) => env[`PG${name.toUpperCase()}`], true),
    ...replicas,
  ]
}

/** The address of a URL that is there and valid; of others the validation has said what is wrong. */
function readAddress(text: unknown): DatabaseAddress | undefined {
  const address = typeof text === 'string' ? parseDatabaseUrl(text) : undefined
  return typeof address === 'string' ? undefined : address
}

function checkAddress(candidate: Candidate, address: DatabaseAddress, where: string): string[] {
  return [...checkQuery(candidate, address, where), ...checkSocket(candidate, address, where)]
}

/** Replicas have the same rules as the primary, and must be others than it, with the same database. */
function checkReplicas(candidate: Candidate, primary: DatabaseAddress | undefined): string[] {
  const urls = valueAt(candidate.values, 'database.replica_urls')
  if (!Array.isArray(urls) || urls.length === 0) return []
  const where = locate('database.replica_urls', candidate.sources)
  if (valueAt(candidate.values, 'database.url') === undefined) {
    return [`${where}: is set without ${variableName('database.url')}, of which they are replicas`]
  }
  const taken = new Set(primary === undefined ? [] : [placeOf(primary)])
  return urls.flatMap((url, index) => {
    const address = readAddress(url)
    if (address === undefined) return []
    const item = `${where}: item ${index + 1}`
    const problems = checkAddress(candidate, address, item)
    if (taken.has(placeOf(address)))
      problems.push(`${item} names a server that is named before: leave it out`)
    if (primary !== undefined && address.database !== primary.database)
      problems.push(`${item} names another database than database.url`)
    taken.add(placeOf(address))
    return problems
  })
}

function placeOf({ host, port }: DatabaseAddress): string {
  return `${host}:${port}`
}

function checkQuery(candidate: Candidate, { parameters }: DatabaseAddress, where: string): string[] {
  const others = [...parameters.keys()].filter((name) => name !== 'sslmode' && !Object.hasOwn(FILES, name))
  return [
    ...checkTlsOf(candidate, parameters.get('sslmode'), `${where}: sslmode in its query`),
    ...checkFiles(candidate, `${where}: its query's`, (name) => parameters.get(name), false),
    ...others.map((name) => {
      const owner = Object.hasOwn(OWNERS, name) ? OWNERS[name] : undefined
      const advice = owner === undefined ? 'leave it out' : `leave it out, and set ${owner}`
      return `${where}: holds ${printable(name)} in its query, which no setting can overrule: ${advice}`
    }),
  ]
}

function checkTlsOf({ values, sources }: Candidate, mode: string | undefined, place: string): string[] {
  const tls = valueAt(values, 'database.tls')
  if (mode === undefined || mode === '' || typeof tls !== 'string') return []
  const allowed = Object.hasOwn(SATISFIED_BY, mode) ? SATISFIED_BY[mode] : undefined
  if (allowed === undefined) return [`${place}: is not a mode of TLS: leave it out, and set database.tls`]
  if (allowed.includes(tls)) return []
  const setting = locate('database.tls', sources)
  return [
    `${place} is ${mode}, and ${setting} is ${tls}: leave the former out, and set ${setting.split(' ')[0]} to ${allowed[0]}`,
  ]
}

/** @param isForeign whether it may be meant for other programs, and so matters only with TLS on */
function checkFiles(
  { values, sources }: Candidate,
  place: string,
  read: (name: string) => string | undefined,
  isForeign: boolean,
): string[] {
  if (isForeign && valueAt(values, 'database.tls') === 'off') return []
  return Object.entries(FILES).flatMap(([name, path]) => {
    const file = read(name)
    const own = valueAt(values, path)
    const isEqual = file === own || (name === 'sslrootcert' && file === 'system' && own === undefined)
    if (file === undefined || file === '' || isEqual) return []
    const label = isForeign ? `PG${name.toUpperCase()}` : name
    return [
      `${place} ${label} names a file, and ${locate(path, sources)} ${own === undefined ? 'names none' : 'another'}: leave the former out, and set the latter`,
    ]
  })
}

function checkSocket({ values, sources }: Candidate, { host }: DatabaseAddress, where: string): string[] {
  if (!host.startsWith('/') || valueAt(values, 'database.tls') === 'off') return []
  return [
    `${where}: names a Unix socket, over which PostgreSQL speaks no TLS: set ${locate('database.tls', sources)} to off`,
  ]
}

/** Lists Node's own variables that would weaken every connection. */
function checkNode({ variables: env, environment, values }: Candidate): string[] {
  const problems: string[] = []
  if (env['NODE_PG_FORCE_NATIVE'] !== undefined) {
    problems.push('NODE_PG_FORCE_NATIVE: has the driver ignore database.tls: leave it out')
  }
  const strict = !LENIENT_ENVIRONMENTS.includes(environment) || valueAt(values, 'database.tls') === 'verify'
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' && strict) {
    problems.push(
      'NODE_TLS_REJECT_UNAUTHORIZED: 0 turns off the checking of certificates of every server (mail, Redis, traces): ' +
        'leave it out, and name your authority in NODE_EXTRA_CA_CERTS',
    )
  }
  return problems
}

function checkTraces({ values, variables: env }: Candidate): string[] {
  if (valueAt(values, 'tracing.endpoint') === undefined) return []
  return Object.keys(env)
    .filter((name) => OTLP_VARIABLES.test(name) && env[name])
    .map(
      (name) =>
        `${name}: would change how traces are sent: leave it out${name.endsWith('HEADERS') ? ', and set APP_TRACING__HEADERS' : ''}`,
    )
}

/** Proxies for outgoing HTTP, which have no other owner than these variables. */
function checkProxies({ variables: env }: Candidate): string[] {
  return ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => {
    const [upper, lower] = [env[name], env[name.toLowerCase()]]
    if (upper && lower && upper !== lower)
      return [`${name}: differs from ${name.toLowerCase()}: leave one of them out`]
    const value = upper || lower
    if (!value || name === 'NO_PROXY') return []
    const text = tidy(value, { format: 'proxy-url' })
    const isFit = typeof text === 'string' && formats['proxy-url'].validate(text)
    return isFit ? [] : [`${name}: must be ${formats['proxy-url'].expects}`]
  })
}
