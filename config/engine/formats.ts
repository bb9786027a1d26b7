import { isIP } from 'node:net'
import addressparser from 'nodemailer/lib/addressparser'
import { addressFault, canonicalEmail, canonicalMailbox, isSender } from '../email-address.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { readEncryptionKeys } from './encryption-keys.ts'
import { readHeaderPairs } from './header-pairs.ts'
import { isListenAddress } from './listen-address.ts'
import { decoded } from './url-text.ts'

/** A string format: what it accepts, and that in words that complete "must be ...". */
export interface StringFormat {
  validate: (value: string) => boolean
  expects: string
  /** Says what is wrong with a value, quoting no secret; in its place stands "must be ..." */
  explain?: (value: string) => string
}

/** Shortest signing key taken, in bytes: HS256 wants a key as long as its hash. */
const SIGNING_KEY_BYTES = 32

/** Names that proxy-addr knows for ranges of addresses. */
const PROXY_RANGES = ['loopback', 'linklocal', 'uniquelocal']

/** The formats that config/schema/schema.ts refers to by name. */
export const formats = {
  environment: {
    validate: isEnvironmentName,
    expects: 'a name of small letters, digits and dashes that begins with a letter, not "default" or "local"',
  },
  'public-url': {
    validate: (value: string) =>
      /^https?:\/\/[^\s/?#@\\]+(\/[^\s?#\\]*[^\s?#\\/])?$/.test(value) && URL.canParse(value),
    expects: 'an absolute http or https URL without user, query, fragment and spaces',
  },
  'proxy-address': {
    validate: isProxyAddress,
    expects: `an IP address, a CIDR range, or one of ${PROXY_RANGES.join(', ')}`,
  },
  'postgres-url': {
    validate: (value: string) => typeof parseDatabaseUrl(value) !== 'string',
    expects: 'a URL such as postgres://user:password@host:5432/name',
    explain: explainDatabaseUrl,
  },
  network: {
    validate: (value: string) => value.includes('/') && isProxyAddress(value),
    expects: 'a network such as 10.20.0.0/16',
  },
  'listen-address': {
    validate: isListenAddress,
    expects: 'a host and a port, such as 127.0.0.1:9090 or [::1]:9090',
  },
  port: {
    validate: (value: string) => /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535,
    expects: 'the number of a port',
  },
  'proxy-url': {
    validate: (value: string) =>
      /^https?:\/\/[!-~]+$/.test(value) && URL.canParse(value) && isBareHost(value),
    expects: 'a URL such as http://user:password@proxy.example.com:4750, without path, query and fragment',
  },
  'redis-url': {
    validate: isRedisUrl,
    expects:
      'a URL that begins with redis:// or rediss://, with a host, and after it no more than a port and /number',
  },
  'nats-url': {
    validate: isNatsUrl,
    expects: 'a URL that begins with nats:// or tls://, with a host, and after it no more than a port',
  },
  'subject-prefix': {
    validate: (value: string) => /^[\w-]{1,50}$/.test(value),
    expects: 'a text of 1 to 50 ASCII letters, digits, _ and -',
  },
  'sentry-dsn': {
    validate: isSentryDsn,
    expects: 'a URL such as https://key@sentry.example.com/1: with a key, a host and the number of a project',
  },
  'header-pairs': {
    validate: (value: string) => readHeaderPairs(value) !== undefined,
    expects: 'name=value, or several of these with commas between; a comma in a value is %2C',
  },
  'key-prefix': {
    validate: (value: string) => /^[\w.:-]{1,100}$/.test(value),
    expects: 'a text of 1 to 100 ASCII letters, digits, and _ . : -',
  },
  'signing-key': {
    validate: (value: string) => Buffer.byteLength(value) >= SIGNING_KEY_BYTES,
    expects: `at least ${SIGNING_KEY_BYTES} bytes long`,
  },
  'encryption-keys': {
    validate: (value: string) => readEncryptionKeys(value) !== undefined,
    expects: 'different keys of 32 bytes in base64, with commas or line breaks between',
  },
  'smtp-url': {
    validate: isSmtpUrl,
    expects: 'a URL that begins with smtp:// or smtps://, with a host and without path, query and fragment',
  },
  'product-name': {
    validate: (value: string) =>
      value.length <= 60 && value.trim() === value && !/[\p{C}\p{Zl}\p{Zp}<>]/u.test(withoutJoiners(value)),
    expects: 'a name of at most 60 characters without line breaks, control characters, < and >',
  },
  contact: {
    validate: isContact,
    expects: 'an email address such as support@example.com, or an http or https URL',
  },
  mailbox: {
    validate: (value: string) => isMailbox(canonicalMailbox(value)) && isSender(value),
    expects:
      'an address such as no-reply@example.com or Example <no-reply@example.com>; a name with one of , ; : @ ( ) [ ] in it stands in quotation marks',
  },
  'password-word': {
    validate: (value: string) => value.length >= 4 && value.length <= 100 && value.trim() === value,
    expects: 'a word of 4 to 100 characters',
  },
  'clamd-url': {
    validate: isClamdUrl,
    expects: 'tcp://host:port or unix:///path, and nothing else in it',
  },
  's3-bucket': {
    validate: (value: string) => /^[A-Za-z0-9][\w.-]{1,61}[A-Za-z0-9]$/.test(value),
    expects: 'the name of a bucket alone: 3 to 63 ASCII letters, digits, and . _ -',
  },
  's3-prefix': {
    validate: (value: string) =>
      /^(?:(?!\.{1,2}(?:\/|$))[\w.-]+(?:\/|$))+$/.test(value) && value.length <= 200,
    expects: 'a path of ASCII letters, digits, and . _ -, such as files/, without a slash at its beginning',
  },
  'accel-prefix': {
    validate: (value: string) => /^\/(?:[\w-]+\/)+$/.test(value) && value.length <= 100,
    expects: 'a path of ASCII letters, digits, _ and -, with a slash at both ends, such as /stored-files/',
  },
  's3-region': {
    validate: (value: string) => /^[A-Za-z0-9][\w-]{0,62}$/.test(value),
    expects: 'the name of a region such as eu-central-1',
  },
  'file-path': {
    validate: (value: string) => value !== '' && !value.includes('\0'),
    expects: 'the path of a file',
  },
  origin: {
    validate: isOrigin,
    expects:
      'an origin as browsers send it, such as https://app.example.com or capacitor://localhost (no path, no * inside, not null), or * for all',
  },
  'header-name': {
    validate: (value: string) => /^[!#$%&'*+.^_`|~\w-]{1,100}$/.test(value) && value !== '*',
    expects: 'the name of a header, such as X-App-Version; * is not a name',
  },
} satisfies Record<string, StringFormat>

/** The name of one of them. */
export type FormatName = keyof typeof formats

/** Whether a name can stand in `config/{environment}.toml` without meaning another layer's file. */
export function isEnvironmentName(value: string): boolean {
  return /^[a-z][a-z0-9-]*$/.test(value) && value !== 'default' && value !== 'local'
}

function isProxyAddress(value: string): boolean {
  if (PROXY_RANGES.includes(value)) return true
  const [, address = '', prefix] = /^([0-9a-f:.]+)(?:\/([0-9]{1,3}))?$/i.exec(value) ?? []
  const version = isIP(address)
  if (version === 0 || prefix === undefined) return version !== 0
  // A prefix of 0 would trust the whole internet, and proxy-addr refuses it too.
  return Number(prefix) >= 1 && Number(prefix) <= (version === 4 ? 32 : 128)
}

function isSmtpUrl(value: string): boolean {
  if (!/^smtps?:\/\//.test(value) || !URL.canParse(value)) return false
  const { hostname, pathname, search, hash, username, password } = new URL(value)
  if (!isDecodable(username) || !isDecodable(password) || /\p{Cc}/u.test(value)) return false
  return hostname !== '' && (pathname === '' || pathname === '/') && search === '' && hash === ''
}

function isClamdUrl(value: string): boolean {
  if (!/^(?:tcp|unix):\/\/[!-~]+$/.test(value) || !URL.canParse(value)) return false
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(value)
  if (search + hash + username + password !== '' || !isDecodable(pathname)) return false
  return protocol === 'unix:'
    ? hostname === '' && pathname.length > 1
    : hostname !== '' && port !== '' && pathname === ''
}

function isRedisUrl(value: string): boolean {
  if (!/^rediss?:\/\//.test(value) || !URL.canParse(value) || /\p{Cc}/u.test(value)) return false
  const { hostname, pathname, search, hash, username, password } = new URL(value)
  if (hostname === '' || search !== '' || hash !== '' || !/^(?:\/[0-9]{0,4})?$/.test(pathname)) return false
  return isDecodable(username) && isDecodable(password)
}

function isNatsUrl(value: string): boolean {
  if (!/^(?:nats|tls):\/\//.test(value) || !URL.canParse(value) || /[\p{Cc}\s]/u.test(value)) return false
  const { hostname, pathname, search, hash, username, password } = new URL(value)
  if (hostname === '' || !/^\/?$/.test(pathname) || search !== '' || hash !== '') return false
  return isDecodable(username) && isDecodable(password)
}

/** With the secret that older servers put into it, and with a slash at the end, as people copy it. */
function isSentryDsn(value: string): boolean {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value) || /\s/.test(value)) return false
  const { username, password, pathname, search, hash } = new URL(value)
  return (
    /^\w+$/.test(username) &&
    /^\w*$/.test(password) &&
    /^(?:\/[\w.-]+)*\/\d+\/*$/.test(pathname) &&
    search === '' &&
    hash === ''
  )
}

function isBareHost(value: string): boolean {
  const { pathname, search, hash, username, password } = new URL(value)
  if (!isDecodable(username) || !isDecodable(password)) return false
  return pathname === '/' && search === '' && hash === ''
}

function isDecodable(text: string): boolean {
  return decoded(text) !== undefined
}

function isContact(value: string): boolean {
  if (/^https?:\/\//.test(value)) return !/[\s<>"\\\p{C}]/u.test(value) && URL.canParse(value)
  return value.length <= 254 && addressFault(canonicalEmail(value)) === undefined
}

function explainDatabaseUrl(value: string): string {
  const problem = parseDatabaseUrl(value)
  return typeof problem === 'string' ? problem : 'is valid'
}

/**
 * A text without what joins the letters of Persian and Indic words or parts of an emoji, where it stands between two
 * characters: it is the only character of format that names have.
 */
function withoutJoiners(text: string): string {
  return text.replace(/(?<=[\p{L}\p{M}\p{S}])[\u200c\u200d](?=[\p{L}\p{M}\p{S}])/gu, '')
}

/** One mailbox of RFC 5322 whose address needs no quotes; its name may be quoted, and then hold anything printable. */
function isMailbox(value: string): boolean {
  if (/\p{Cc}/u.test(value)) return false
  const [mailbox, ...others] = addressparser(value)
  if (mailbox === undefined || others.length > 0 || !('address' in mailbox)) return false
  const { name, address = '' } = mailbox
  if (!/^[^\s<>@"(),:;\\]+@[\w.-]+$/u.test(address)) return false
  const spaced = value.replace(/\s*(<[^<>]*>)$/, ' $1').trim()
  // What the parser took for a comment, or dropped, would not be seen by readers.
  const written = name === '' ? [address, `<${address}>`] : [`${quoted(name)} <${address}>`]
  if (name === '') written.push(`"" <${address}>`)
  else if (!/[()<>[\]:;@\\,"]/.test(name)) written.push(`${name} <${address}>`)
  return written.includes(spaced)
}

/** A name as a quoted string (RFC 5322, 3.2.4). */
function quoted(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}

/** Schemes whose pages have no origin of their own: browsers send `null`, or nothing. */
const WITHOUT_ORIGIN: readonly string[] = [
  'about:',
  'blob:',
  'data:',
  'file:',
  'ftp:',
  'javascript:',
  'ws:',
  'wss:',
]

/**
 * Origins are compared byte by byte with what a browser sends, so only that very form can ever match: scheme, host and
 * port, for the web's own schemes as the URL standard writes them. App shells and extensions have schemes of their own.
 * `null` is refused, because every sandboxed frame of every site sends it (docs/decisions/026).
 */
function isOrigin(value: string): boolean {
  if (value === '*') return true
  if (!/^[a-z][a-z0-9+.-]*:\/\/[!-)+-~]+$/.test(value) || !URL.canParse(value)) return false
  const { protocol, host, origin } = new URL(value)
  if (host === '' || WITHOUT_ORIGIN.includes(protocol)) return false
  return value === (protocol === 'http:' || protocol === 'https:' ? origin : `${protocol}//${host}`)
}
