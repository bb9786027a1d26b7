import type { TomlTable, TomlValue } from 'smol-toml'
import { isLoopback } from './loopback.ts'
import { valueAt } from './toml-files.ts'
import type { Variables } from './variables.ts'

/** The layer that applies while APP_ENVIRONMENT is not set, as `sources` names it. */
export const UNNAMED = 'APP_ENVIRONMENT not being set'

/** Its values: what nobody has named is for this machine only. */
export const UNNAMED_LAYER: TomlTable = { server: { local_only: true } }

/** Variables in which other programs name the environment. */
const ENVIRONMENT_NAMES = ['NODE_ENV', 'APP_ENV', 'ENVIRONMENT']

/** Names that say that others use the service. */
const SHARED_ENVIRONMENT = /^\s*(?:pre-?)?(?:prod|production|stage|staging|live|qa|uat)\s*$/i

/** Variables that platforms set for what they run. */
const PLATFORM_VARIABLES = [
  'KUBERNETES_SERVICE_HOST',
  'ECS_CONTAINER_METADATA_URI',
  'ECS_CONTAINER_METADATA_URI_V4',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'K_SERVICE',
  'GAE_SERVICE',
  'CONTAINER_APP_NAME',
  'WEBSITE_SITE_NAME',
  'DYNO',
  'FLY_APP_NAME',
  'RENDER',
  'RAILWAY_ENVIRONMENT',
  'RAILWAY_ENVIRONMENT_NAME',
  'VCAP_APPLICATION',
  'NOMAD_ALLOC_ID',
]

interface Candidate {
  values: TomlTable
  sources: ReadonlyMap<string, string>
  variables: Variables
}

/**
 * Keeps development settings off the network (docs/decisions/033). A service that is for this machine only must
 * listen on loopback; and while nobody has named the environment, nothing may suggest that others use it.
 */
export function checkLocalOnly({ values, sources, variables }: Candidate): string[] {
  if (valueAt(values, 'server.local_only') !== true) return []
  if (sources.get('server.local_only') !== UNNAMED) {
    return isLoopbackValue(valueAt(values, 'server.host'))
      ? []
      : [
          'APP_SERVER__HOST: must be a loopback address (127.0.0.1, ::1 or localhost) while server.local_only is true',
        ]
  }
  const signs = [...signsOfVariables(variables), ...signsOfValues(values)]
  if (signs.length === 0) return []
  return [
    `APP_ENVIRONMENT: is not set, which means development: a signing secret that everybody knows, everybody's mail at /dev/mail, open metrics. But ${signs.join(', ')}. Set APP_ENVIRONMENT=production; or APP_ENVIRONMENT=development if only developers can reach this service`,
  ]
}

function signsOfVariables(variables: Variables): string[] {
  const isSet = (name: string) => (variables[name] ?? '') !== ''
  return [
    ...ENVIRONMENT_NAMES.filter((name) => SHARED_ENVIRONMENT.test(variables[name] ?? '')).map(
      (name) => `${name} is ${variables[name]?.trim()}`,
    ),
    ...PLATFORM_VARIABLES.filter(isSet).map((name) => `${name} is set`),
  ]
}

function signsOfValues(values: TomlTable): string[] {
  const proxies = valueAt(values, 'server.trusted_proxies')
  const replicas = [valueAt(values, 'database.replica_urls')].flat()
  const brokers = [valueAt(values, 'broker.urls')].flat()
  const signs: [boolean, string][] = [
    [!isLoopbackValue(valueAt(values, 'server.host')), 'server.host is not a loopback address'],
    [!isLocalUrl(valueAt(values, 'server.public_url')), 'server.public_url is not on this machine'],
    [Array.isArray(proxies) && proxies.length > 0, 'server.trusted_proxies names proxies'],
    [!isLocalUrl(valueAt(values, 'database.url')), 'database.url is on another machine'],
    [!replicas.every(isLocalUrl), 'database.replica_urls are on other machines'],
    [!isLocalUrl(valueAt(values, 'redis.url')), 'redis.url is on another machine'],
    [!brokers.every(isLocalUrl), 'broker.urls are on other machines'],
  ]
  return signs.filter(([isSign]) => isSign).map(([, text]) => text)
}

/** The schema refuses what is not text, or empty. */
function isLoopbackValue(host: TomlValue | undefined): boolean {
  return typeof host !== 'string' || host === '' || isLoopback(host)
}

/** Whether a URL leads to this machine: also one without a host, or with the folder of a socket. */
function isLocalUrl(value: TomlValue | undefined): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return true
  const { hostname, searchParams } = new URL(value)
  // What the query names takes precedence for PostgreSQL's clients.
  const host = searchParams.get('host') ?? decodeURIComponent(hostname)
  return host === '' || host.startsWith('/') || isLoopback(host)
}
