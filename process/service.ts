import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { readHeaderPairs } from '#config/engine/header-pairs.ts'
import type { LoadedConfig } from '#config/load.ts'
import type { Config } from '#config/schema/schema.ts'
import { workerCount } from '#config/worker-count.ts'
import { explainFailure } from '#lib/advice/explain-failure.ts'
import { withDatabase } from '#lib/embedded-postgres/with-database.ts'
import type { LogDestination } from '#lib/log/destination.ts'
import { loggerOptions } from '#lib/log/logger.ts'
import { startTracing } from '#lib/tracing/start.ts'
import type { Tracing } from '#lib/tracing/tracing.ts'
import packageJson from '#package.json' with { type: 'json' }
import { announce, say } from './announce.ts'
import { WorkerGroup } from './primary/worker-group.ts'
import type { PrimaryLink } from './worker/primary-link.ts'

/** Everything that was started, and so has to be ended. */
export interface Service {
  readonly logDestination: LogDestination
  /** The connection to the primary that keeps this process running, if it is a worker. */
  readonly primary: PrimaryLink | undefined
  app?: FastifyInstance
  /** The workers that this process keeps running, if there are several (`server.workers`). */
  group?: WorkerGroup
  /** Traces, if they are on. */
  tracing?: Tracing | undefined
  /** Ends the embedded database server whose start is under way. */
  abandonDatabase?: (() => void) | undefined
  /** Leaves the embedded database server. */
  stopDatabase?: () => Promise<void>
}

/** Whether the process keeps workers running that serve in its place. */
export function isPrimary({ primary }: Service, { server }: Config): boolean {
  return !primary && workerCount(server) > 1
}

/** Starts what serves: the application in this process, or workers. */
export async function startService(service: Service, loaded: LoadedConfig): Promise<void> {
  if (service.primary) return startWorker(service, service.primary)
  const { sources } = loaded
  const config = await openDatabase(service, loaded.config)
  if (isPrimary(service, config)) return startWorkers(service, { config, sources })
  const { logDestination } = service
  service.tracing = await openTraces(config)
  const { buildApp } = await loadApp()
  const app = await buildApp(config, { sources, logDestination, tracing: service.tracing })
  service.app = app
  await app.listenForAdmin()
  announce(app, await app.listen({ host: config.server.host, port: config.server.port }))
}

/** Returns the configuration with a database in it. */
async function openDatabase(service: Service, given: Config): Promise<Config> {
  const abandoned = new AbortController()
  service.abandonDatabase = () => abandoned.abort()
  const { config, stop } = await withDatabase(given, say, abandoned.signal)
  service.abandonDatabase = undefined
  service.stopDatabase = stop
  return config
}

/** Logs; says it on standard error while there is no logger yet. */
export function log(service: Service, level: 'info' | 'fatal', fields: object, message: string): void {
  const logger = service.app?.log ?? service.group?.log
  if (logger) logger[level](fields, message)
  else say('err' in fields ? `${message}: ${explainFailure(fields.err)}` : message)
}

async function startWorkers(service: Service, loaded: LoadedConfig): Promise<void> {
  service.logDestination.share()
  service.group = new WorkerGroup(loaded, pino(sharedLoggerOptions(loaded.config), service.logDestination))
  await service.group.start()
}

async function startWorker(service: Service, primary: PrimaryLink): Promise<void> {
  const { logDestination } = service
  const { config, sources, first } = await primary.task
  const { host, port } = config.server
  service.tracing = await openTraces(config)
  const { buildApp } = await loadApp()
  logDestination.share()
  const logger = { ...sharedLoggerOptions(config), stream: logDestination }
  const { tracing } = service
  const app = await buildApp(config, { sources: new Map(sources), logger, logDestination, tracing })
  service.app = app
  primary.share(app)
  await app.listenForAdmin()
  // One tells where they all are.
  const listenTextResolver = (url: string) => (first ? `Server listening at ${url}` : 'Worker listening')
  // The primary opens the port; without one it never comes, and the end of this process has begun.
  const url = await Promise.race([app.listen({ host, port, listenTextResolver }), primary.gone])
  if (url === undefined) return
  if (first) announce(app, url)
  void primary.report(app)
}

function openTraces({ tracing, environment }: Config) {
  const headers = readHeaderPairs(tracing.headers ?? '') ?? {}
  return startTracing({ tracing, environment, version: packageJson.version, headers })
}

/** Not imported above, because a primary does without. */
function loadApp() {
  return import('#app.ts')
}

/** Lines of several processes say whose they are. */
function sharedLoggerOptions({ log }: Config) {
  return { ...loggerOptions(log), base: { pid: process.pid } }
}
