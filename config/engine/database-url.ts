import { decoded } from './url-text.ts'

/** The parsed text of `database.url`. */
export interface DatabaseAddress {
  /** A name, an IP address without brackets, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** Undefined where there is none. */
  readonly password: string | undefined
  readonly database: string
  /** The query's parameters, except those that say what the properties above do. */
  readonly parameters: ReadonlyMap<string, string>
}

const DEFAULT_PORT = 5432

/** Parameters that say where the server is; a URL cannot name a socket in its authority unless encoded. */
const PLACE = ['host', 'port']

/** Parameters of libpq that say what else may stand before the query: `postgres:///name?host=/run/postgresql&user=app`. */
const IDENTITY = ['user', 'password', 'dbname']

/**
 * Reads a database URL: `postgres://user:password@host:5432/name`. A Unix socket is
 * `postgres://user@/name?host=/var/run/postgresql`, or its directory percent-encoded as the host.
 *
 * The driver never gets the text, because it would let the query override every other option.
 *
 * @returns the address, or what is wrong with it in words that follow the name of the setting and quote no secret
 */
export function parseDatabaseUrl(text: string): DatabaseAddress | string {
  if (!/^postgres(?:ql)?:\/\//.test(text)) return 'must begin with postgres:// or postgresql://'
  // A comma before the @ is part of a user or a password.
  if (/^[^/]+:\/\/(?:[^/?#]*@)?[^/?#@]*,[^/?#@]*(?:[/?#]|$)/.test(text)) {
    return 'names several hosts: name one, or a load balancer that leads to the primary'
  }
  // Without a host WHATWG URLs allow neither user nor port.
  const isSocket = /^[^/]+:\/\/[^/]*@\//.test(text)
  const url = URL.parse(isSocket ? text.replace('@/', '@socket/') : text)
  if (url === null || url.hash !== '' || /\p{Cc}/u.test(text) || isCut(url))
    return `is not a valid URL: percent-encode ${SPECIAL}`
  url.pathname = url.pathname.replace(/\/+$/, '')
  if (url.pathname.includes('/', 1)) return 'names a database with a / in it: percent-encode it (%2F)'
  const parameters = readParameters(url.searchParams)
  if (typeof parameters === 'string') return parameters
  const parts = decodeParts(isSocket ? '' : url.hostname, url)
  if (parts === undefined) return `holds a % that encodes nothing: percent-encode ${SPECIAL}`
  return complete(parts, url.port, parameters)
}

/** Whether the host ended within a password: what looks like the host and its port is the user and what follows. */
function isCut({ username, pathname, search }: URL): boolean {
  return username === '' && `${pathname}${search}`.includes('@')
}

const SPECIAL = 'characters such as @ : / ? # % in user, password and name'

function readParameters(query: URLSearchParams): Map<string, string> | string {
  const parameters = new Map<string, string>()
  for (const [name, value] of query) {
    if (parameters.has(name)) return `says ${printable(name)} twice`
    parameters.set(name, value)
  }
  return parameters
}

interface Parts {
  readonly host: string
  readonly user: string
  readonly password: string
  readonly database: string
}

function decodeParts(hostname: string, { username, password, pathname }: URL): Parts | undefined {
  const [host, user, secret, database] = [hostname, username, password, pathname.slice(1)].map(decoded)
  if (host === undefined || user === undefined || secret === undefined || database === undefined)
    return undefined
  return { host: host.replace(/^\[(.*)\]$/, '$1'), user, password: secret, database }
}

function complete(
  { host, ...own }: Parts,
  port: string,
  parameters: Map<string, string>,
): DatabaseAddress | string {
  const before = [own.user, own.password, own.database]
  const said = IDENTITY.find((name, index) => before[index] !== '' && parameters.has(name))
  if (said !== undefined) return `says ${said} in its query too: say it once`
  const [user = '', password = '', database = ''] = IDENTITY.map(
    (name, index) => before[index] || parameters.get(name),
  )
  if (host !== '') {
    const doubled = PLACE.find((name) => parameters.has(name))
    if (doubled !== undefined) return `says ${doubled} in its query too: say it once`
  } else if (!parameters.get('host')?.startsWith('/')) {
    return 'names no host: postgres://user:password@host:5432/name, or ?host=/directory for a Unix socket'
  }
  if (user === '') return 'names no user: neither PGUSER nor the name of the account is taken in its place'
  if (database === '') return 'names no database: postgres://user:password@host:5432/name'
  const number = Number(port || parameters.get('port') || DEFAULT_PORT)
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    return 'has a port that is not a number from 1 to 65535'
  return {
    host: host || `${parameters.get('host')}`,
    port: number,
    user,
    password: password === '' ? undefined : password,
    database,
    parameters: new Map([...parameters].filter(([name]) => ![...PLACE, ...IDENTITY].includes(name))),
  }
}

/** The name of a parameter is a word; anything else may be a part of a password. */
export function printable(name: string): string {
  return /^[a-z_]{1,40}$/i.test(name) ? name : 'a parameter'
}
