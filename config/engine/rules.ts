import { LENIENT_ENVIRONMENTS } from '../schema/schema.ts'
import type { Candidate } from './candidate.ts'
import { checkConnections } from './connection-rules.ts'
import { configKeys, locate, variableName } from './keys.ts'
import { checkLocalOnly } from './local-only.ts'
import { DEFAULT_FILE, valueAt } from './toml-files.ts'

/** The problems that no single key's schema can see: rules of the environment, and between keys. */
export function checkRules(candidate: Candidate): string[] {
  const strict = !LENIENT_ENVIRONMENTS.includes(candidate.environment)
  return [
    ...(strict ? checkStrict(candidate) : []),
    ...checkLocalOnly(candidate),
    ...checkTimeouts(candidate),
    ...checkTls(candidate),
    ...checkConnections(candidate),
    ...checkSigningKeys(candidate),
    ...checkAuditKeys(candidate),
    ...checkMailLinks(candidate),
    ...checkRateLimitStore(candidate),
    ...checkBroker(candidate),
    ...checkCentrifugo(candidate),
    ...checkFileStore(candidate),
    ...checkCheckpointBucket(candidate),
  ]
}

function checkStrict({ values, sources, environment, knownSecrets }: Candidate): string[] {
  const problems: string[] = []
  if (valueAt(values, 'database.url') === undefined) {
    problems.push(
      `${variableName('database.url')}: must be set in the environment ${JSON.stringify(environment)}`,
    )
  }
  for (const { path } of configKeys.filter((key) => key.secret)) {
    const secrets = [valueAt(values, path)].flat()
    if (secrets.some((value) => value !== undefined && knownSecrets.has(value))) {
      problems.push(
        `${locate(path, sources)}: is a secret that a committed file contains, so it is not secret`,
      )
    }
  }
  const origins = valueAt(values, 'cors.allowed_origins')
  if (Array.isArray(origins) && origins.includes('*')) {
    const where = locate('cors.allowed_origins', sources)
    problems.push(`${where}: may hold * in ${LENIENT_ENVIRONMENTS.join(' and ')} only`)
  }
  return [...problems, ...checkMail({ values, sources })]
}

/** Mail from nobody, with links to the reader's own machine, is worse than none. */
function checkMail({ values, sources }: Pick<Candidate, 'values' | 'sources'>): string[] {
  if (valueAt(values, 'email.smtp_url') === undefined) return []
  const needed = ['email.from']
  if (valueAt(values, 'email.link_base') === undefined) needed.push('server.public_url')
  return needed
    .filter((path) => (sources.get(path) ?? DEFAULT_FILE) === DEFAULT_FILE)
    .map((path) => `${variableName(path)}: must be set when email.smtp_url is`)
}

/** Node refuses to make a server whose headers may take longer than its whole requests. */
function checkTimeouts({ values, sources }: Candidate): string[] {
  const headers = valueAt(values, 'server.headers_timeout')
  const request = valueAt(values, 'server.request_timeout')
  if (typeof headers !== 'number' || typeof request !== 'number' || headers <= request) return []
  return [`${locate('server.headers_timeout', sources)}: must be at most server.request_timeout`]
}

/** Certificates that would be ignored mean a connection that is less safe than somebody thinks. */
function checkTls({ values, sources }: Candidate): string[] {
  const given = ['tls_ca_file', 'tls_cert_file', 'tls_key_file']
    .map((name) => `database.${name}`)
    .filter((path) => valueAt(values, path) !== undefined)
  if (valueAt(values, 'database.tls') === 'off') {
    return given.map((path) => `${locate(path, sources)}: has no effect while database.tls is off`)
  }
  const half = given.filter((path) => path !== 'database.tls_ca_file')
  if (half.length !== 1) return []
  return half.map((path) => `${locate(path, sources)}: tls_cert_file and tls_key_file belong together`)
}

/** Keys that would be ignored mean tokens that are signed otherwise than somebody thinks. */
function checkSigningKeys({ values, sources }: Candidate): string[] {
  const signing = 'jwt.signing_key_file'
  const verification = valueAt(values, 'jwt.verification_key_files')
  if (valueAt(values, 'jwt.algorithm') === 'EdDSA') {
    if (valueAt(values, signing) !== undefined) return []
    return [`${variableName(signing)}: must be set while jwt.algorithm is EdDSA`]
  }
  const given = [
    ...(valueAt(values, signing) === undefined ? [] : [signing]),
    ...(Array.isArray(verification) && verification.length > 0 ? ['jwt.verification_key_files'] : []),
  ]
  return given.map((path) => `${locate(path, sources)}: has no effect while jwt.algorithm is HS256`)
}

/** Keys without one that signs are not read, so what they signed would count as unsigned. */
function checkAuditKeys({ values, sources }: Candidate): string[] {
  const path = 'audit.verification_key_files'
  const given = valueAt(values, path)
  if (!Array.isArray(given) || given.length === 0) return []
  if (valueAt(values, 'audit.signing_key_file') !== undefined) return []
  return [`${locate(path, sources)}: has no effect while audit.signing_key_file is not set`]
}

/** Links in mails must lead somewhere. */
function checkMailLinks({ values }: Candidate): string[] {
  if (valueAt(values, 'email.pages') !== false || valueAt(values, 'email.link_base') !== undefined) return []
  return [`${variableName('email.link_base')}: must be set when email.pages is false`]
}

/** A store that is not there would leave each instance to itself for ever. */
function checkRateLimitStore({ values }: Candidate): string[] {
  if (valueAt(values, 'rate_limit.store') !== 'redis' || valueAt(values, 'redis.url') !== undefined) return []
  return [`${variableName('redis.url')}: must be set while rate_limit.store is redis`]
}

/** Events would wait for ever for a broker that is nowhere. */
function checkBroker({ values, sources }: Candidate): string[] {
  const urls = valueAt(values, 'broker.urls')
  if (valueAt(values, 'broker.kind') !== 'nats' || !Array.isArray(urls)) return []
  if (urls.length === 0) return [`${variableName('broker.urls')}: must be set while broker.kind is nats`]
  return checkBrokerUsers(urls, locate('broker.urls', sources))
}

/** One connection has one user: others would be dropped without a word. */
function checkBrokerUsers(urls: readonly unknown[], where: string): string[] {
  const users = urls.map((url) => {
    if (typeof url !== 'string' || !URL.canParse(url)) return ':'
    const { username, password } = new URL(url)
    return `${username}:${password}`
  })
  const others = users.flatMap((user, index) => (user === ':' || user === users[0] ? [] : [index + 1]))
  return others.map(
    (item) =>
      `${where}: item ${item} names another user, password or token than the first, which all servers get`,
  )
}

const NEEDED_OF_A_BUCKET = ['bucket', 'access_key_id', 'secret_access_key']

/** A bucket can't be reached without its name and a key. */
function checkFileStore({ values }: Candidate): string[] {
  if (valueAt(values, 'files.store') !== 's3') return []
  return missingOf(values, 'files.s3').map((name) => `${name}: must be set while files.store is s3`)
}

/** Settings of the bucket of checkpoints, which would be read by nobody without the rest. */
function checkCheckpointBucket({ values }: Candidate): string[] {
  const section = 'audit.checkpoint_s3'
  const optional = ['prefix', 'endpoint', ...NEEDED_OF_A_BUCKET]
  if (optional.every((name) => valueAt(values, `${section}.${name}`) === undefined)) return []
  return missingOf(values, section).map((name) => `${name}: must be set for the bucket of checkpoints`)
}

/** Variables of what a section of a bucket lacks. */
function missingOf(values: Candidate['values'], section: string): string[] {
  const paths = NEEDED_OF_A_BUCKET.map((name) => `${section}.${name}`)
  return paths.filter((path) => valueAt(values, path) === undefined).map(variableName)
}

/** A cluster can't be reached without its address, and must not be believed without a secret. */
function checkCentrifugo({ values }: Candidate): string[] {
  if (valueAt(values, 'realtime.engine') !== 'centrifugo') return []
  return ['url', 'api_key', 'proxy_secret']
    .map((name) => `realtime.centrifugo.${name}`)
    .filter((path) => valueAt(values, path) === undefined)
    .map((path) => `${variableName(path)}: must be set while realtime.engine is centrifugo`)
}
