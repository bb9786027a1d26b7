import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type ConfigKey, findKey } from '#config/engine/keys.ts'
import packageJson from '#package.json' with { type: 'json' }
import { type ServerProcess, startServer } from '../system/server-process.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Node's arguments at `npm start`, and in the image. */
const [, ...START] = packageJson.scripts.start.split(' ')

/** The secret of all servers of a run that verify the service's tokens. */
export const JWT_SECRET = randomBytes(48).toString('base64')

/** Limits that no load of a run reaches; those whose key the service does not have are left out. */
const OPEN_LIMITS = [
  'auth.login_limit.per_account',
  'auth.login_limit.per_address',
  'rate_limit.per_user',
  'rate_limit.per_api_key',
  'rate_limit.per_organization',
  'rate_limit.per_address',
]

export interface ServiceOptions {
  readonly name: string
  /** Where its log may lie. */
  readonly directory: string
  readonly databaseUrl: string
  /** Over the run's own settings. */
  readonly env?: Record<string, string>
  /** A module to load first. */
  readonly preload?: string | undefined
}

/** Starts server.ts as in production: its own process, its production logging, secrets given. */
export function startService({
  name,
  directory,
  databaseUrl,
  env,
  preload,
}: ServiceOptions): Promise<ServerProcess> {
  return startServer({
    name,
    directory,
    command: process.execPath,
    args: [...(preload === undefined ? [] : ['--import', preload]), ...START],
    cwd: ROOT,
    readyPath: '/ready',
    env: (port) => ({
      // As in the image.
      MALLOC_ARENA_MAX: '2',
      NODE_ENV: 'production',
      APP_ENVIRONMENT: 'production',
      APP_DATABASE__URL: databaseUrl,
      APP_JWT__SECRET: JWT_SECRET,
      APP_SERVER__HOST: '127.0.0.1',
      APP_SERVER__PORT: String(port),
      APP_SERVER__DRAIN_DELAY: '0s',
      APP_AUTH__REGISTRATION: 'open',
      APP_METRICS__PUBLIC: 'true',
      ...openLimits(),
      ...env,
    }),
  })
}

/** The most that each limit's key admits, so that what limits cost is measured and nothing is refused. */
function openLimits(): Record<string, string> {
  const keys = OPEN_LIMITS.flatMap((path): ConfigKey[] => {
    const key = findKey(path)
    return key === undefined ? [] : [key]
  })
  return Object.fromEntries(keys.map(({ variable, schema }) => [variable, String(schema.maximum ?? 1e9)]))
}
