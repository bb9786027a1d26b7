import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import { loadConfig } from '#config/load.ts'
import { freePort } from '#lib/embedded-postgres/server.ts'
import { JWT_SECRET, startService } from '../environment/service.ts'
import { usageOf } from '../system/process-usage.ts'
import type { ServerProcess } from '../system/server-process.ts'

const CONFIG = join(import.meta.dirname, '../../deploy/centrifugo/config.json')

export const HAS_CENTRIFUGO = spawnSync('centrifugo', ['version']).status === 0

export type Engine = 'embedded' | 'centrifugo'

/** Who listens, and what they listen to. */
export interface Audience {
  readonly databaseUrl: string
  readonly org: string
  /** Without presence: each of thousands who come would be told to all before. */
  readonly channel: string
  /** Access tokens, each of a session of its own. */
  readonly tokens: readonly string[]
  readonly sessions: readonly string[]
}

/** Makes an organization with so many members, each of whom is signed in. */
export async function createAudience(databaseUrl: string, count: number): Promise<Audience> {
  const env = {
    APP_ENVIRONMENT: 'test',
    APP_DATABASE__URL: databaseUrl,
    APP_ROLE: 'web',
    APP_LOG__LEVEL: 'error',
  }
  const app = await buildApp(loadConfig({ env: { ...env, APP_JWT__SECRET: JWT_SECRET } }).config)
  await app.ready()
  const client = new pg.Client({ connectionString: databaseUrl, options: '-c app.scope=system' })
  await client.connect()
  const org = uuidv7()
  const users = Array.from({ length: count }, () => uuidv7())
  const sessions = users.map(() => uuidv7())
  await client.query('INSERT INTO organizations (id, name) VALUES ($1, $2)', [org, 'Bench'])
  await client.query(
    `INSERT INTO users (id, email, username, password_hash, email_verified_at)
     SELECT id, id || '@bench.example.com', id, (SELECT password_hash FROM users LIMIT 1), now()
     FROM unnest($1::uuid[]) AS id`,
    [users],
  )
  await client.query(
    `INSERT INTO memberships (org_id, user_id, role) SELECT $1, id, 'member' FROM unnest($2::uuid[]) AS id`,
    [org, users],
  )
  await client.query(
    `INSERT INTO sessions (id, user_id, ip, methods, idle_expires_at, expires_at)
     SELECT id, user_id, '127.0.0.1', '{pwd}', now() + interval '1 day', now() + interval '1 day'
     FROM unnest($1::uuid[], $2::uuid[]) AS made (id, user_id)`,
    [sessions, users],
  )
  await client.query('ANALYZE')
  await client.end()
  const tokens = users.map((id, index) => app.tokens.issue({ id, role: 'user' }, sessions[index] ?? ''))
  await app.close()
  return { databaseUrl, org, channel: `organizations:${org}:files`, tokens, sessions }
}

type Holder = Pick<ServerProcess, 'usage' | 'stop'>

/** A service, and where its clients connect. */
export interface Stage {
  readonly engine: Engine
  /** For each process that keeps sockets. */
  readonly urls: readonly string[]
  /** Processes of the service. */
  readonly nodes: number
  /** A process that keeps sockets, */
  readonly holder: Holder
  /** and one that answers requests: the same, if the service keeps them itself. */
  readonly service: ServerProcess
  stop(): Promise<void>
}

const OPEN = {
  APP_REALTIME__CONNECTIONS: '1000000',
  APP_REALTIME__CONNECTIONS_PER_ADDRESS: '1000000',
  APP_REALTIME__SUBSCRIPTIONS_PER_ORGANIZATION: '1000000',
}

interface StageOptions {
  /** Processes of the service; 1 if left out. */
  readonly nodes?: number
  readonly env?: Record<string, string>
}

/** Starts a service with an engine; with `none` nobody listens to it. */
export async function startStage(
  engine: Engine | 'none',
  directory: string,
  databaseUrl: string,
  { nodes = 1, env = {} }: StageOptions = {},
): Promise<Stage> {
  const port = await freePort()
  const [key, secret] = [uuidv7(), `${uuidv7()}${uuidv7()}`]
  const cluster = {
    APP_REALTIME__CENTRIFUGO__URL: `http://127.0.0.1:${port}`,
    APP_REALTIME__CENTRIFUGO__API_KEY: key,
    APP_REALTIME__CENTRIFUGO__PROXY_SECRET: secret,
  }
  const services: ServerProcess[] = []
  for (let node = 0; node < nodes; node++) {
    const settings = {
      ...OPEN,
      APP_REALTIME__ENGINE: engine,
      ...(engine === 'centrifugo' ? cluster : {}),
      ...env,
    }
    services.push(await startService({ name: `realtime-${engine}`, directory, databaseUrl, env: settings }))
  }
  const [service] = services
  if (service === undefined) throw new Error('a stage has a service')
  const stop = async () => {
    await Promise.all(services.map((one) => one.stop()))
  }
  if (engine !== 'centrifugo') {
    const urls = services.map(({ origin }) => `${origin.replace('http', 'ws')}/realtime`)
    return { engine: 'embedded', urls, nodes, holder: service, service, stop }
  }
  const holder = await startCentrifugo(service.origin, { port, key, secret })
  return {
    ...{ engine, urls: [`ws://127.0.0.1:${port}/realtime`], nodes, holder, service },
    async stop() {
      await holder.stop()
      await stop()
    },
  }
}

interface Place {
  readonly port: number
  readonly key: string
  readonly secret: string
}

async function startCentrifugo(service: string, place: Place): Promise<Holder> {
  const child = spawn('centrifugo', ['--config', CONFIG], {
    env: { PATH: process.env['PATH'], ...centrifugoVariables(service, place) },
    stdio: 'ignore',
  })
  const { pid = 0 } = child
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(`http://127.0.0.1:${place.port}/health`).catch(() => undefined)
    if (response?.ok) break
    await sleep(50)
  }
  const stop = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'close')
  }
  return { usage: () => usageOf(pid), stop }
}

function centrifugoVariables(service: string, { port, key, secret }: Place): Record<string, string> {
  const routes = {
    CLIENT_PROXY_CONNECT: 'connect',
    CLIENT_PROXY_REFRESH: 'refresh',
    CHANNEL_PROXY_SUBSCRIBE: 'subscribe',
    CHANNEL_PROXY_SUB_REFRESH: 'sub-refresh',
  }
  const proxies = Object.entries(routes).flatMap(([name, route]) => [
    [`CENTRIFUGO_${name}_ENDPOINT`, `${service}/realtime/centrifugo/${route}`],
    [`CENTRIFUGO_${name}_HTTP_STATIC_HEADERS`, JSON.stringify({ 'X-Centrifugo-Secret': secret })],
  ])
  return {
    ...Object.fromEntries(proxies),
    CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
    CENTRIFUGO_HTTP_SERVER_PORT: String(port),
    CENTRIFUGO_HTTP_API_KEY: key,
    CENTRIFUGO_LOG_LEVEL: 'error',
  }
}
