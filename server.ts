import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isatty } from 'node:tty'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { readHeaderPairs } from './config/engine/header-pairs.ts'
import { isLoopback } from './config/engine/loopback.ts'
import { loadConfig } from './config/load.ts'
import { type Config, LENIENT_ENVIRONMENTS } from './config/schema/schema.ts'
import { workerCount } from './config/worker-count.ts'
import { explainFailure } from './lib/advice/explain-failure.ts'
import { withDatabase } from './lib/embedded-postgres/with-database.ts'
import { LogDestination } from './lib/log/destination.ts'
import { loggerOptions } from './lib/log/logger.ts'
import { useProxies } from './lib/network/proxies.ts'
import { startTracing } from './lib/tracing/start.ts'
import type { Tracing } from './lib/tracing/tracing.ts'
import packageJson from './package.json' with { type: 'json' }
import { endNow, endWhenIdle } from './process/end-process.ts'
import { outlivesTerminal } from './process/hang-up.ts'
import { followParent } from './process/parent.ts'
import { handOver, Primary } from './process/primary.ts'
import { keepTickShape } from './process/tick-shape.ts'
import { Watchdog } from './process/watchdog.ts'
import { WorkerGroup } from './process/worker-group.ts'

/** Everything that was started, and so has to be ended. */
interface Service {
  app?: FastifyInstance
  /** The workers that this process keeps running, if there are several (`server.workers`). */
  group?: WorkerGroup
  /** The primary that keeps this process running, if it is a worker. */
  primary: Primary | undefined
  /** Traces, if they are on. */
  tracing?: Tracing | undefined
  /** Leaves the embedded database server. */
  stop?: () => Promise<void>
}

/** The reason to end; `restart` is for a worker that another one has already replaced. */
type Reason = { signal: NodeJS.Signals } | { err: unknown } | { restart: true }

/** Why and when the shutdown began. */
interface Beginning {
  reason: Reason
  /** Time by `performance.now()`. */
  at: number
}

/** SIGHUP comes from a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Milliseconds in which a repeated signal counts once: npm passes on the Ctrl-C that we got too. */
const ECHO = 500

/** Milliseconds that the shutdown waits for the reader of the log. */
const LOG_FLUSH = 1000

/** Milliseconds that the shutdown waits for the receiver of traces. */
const TRACE_FLUSH = 2000

/** Milliseconds beyond shutdown_timeout in which workers can say that theirs is over. */
const WORKERS_GRACE = 1000

keepTickShape()
const logDestination = new LogDestination(process.stdout)
// Nobody need listen to what we say to people.
process.stderr.on('error', () => undefined)

/**
 * The process: configuration, database, application, listener, and an orderly end. With `server.workers` it
 * keeps others running that serve; they come here too, and get their configuration from it.
 */
async function main(): Promise<void> {
  const primary = Primary.find()
  if (primary) leaveSignalsToPrimary()
  const { config } = primary ? await primary.task : loadConfig({ env: process.env })
  useProxies(process.env)
  const service: Service = { primary }
  const starting = start(service, config)
  endGracefully(service, config, starting)
  try {
    await starting
  } catch (error) {
    service.group?.stop('SIGTERM')
    // What goes wrong now is not what it is about.
    await end(service).catch(() => undefined)
    throw error
  }
}

async function start(service: Service, loaded: Config): Promise<void> {
  if (service.primary) return startWorker(service, service.primary)
  const { config, stop } = await withDatabase(loaded, say)
  service.stop = stop
  if (isPrimary(service, config)) return startWorkers(service, config)
  service.tracing = await openTraces(config)
  const { buildApp } = await loadApp()
  const app = await buildApp(config, { logDestination, tracing: service.tracing })
  service.app = app
  announce(app, await app.listen({ host: config.server.host, port: config.server.port }))
}

function openTraces({ tracing, environment }: Config) {
  const headers = readHeaderPairs(tracing.headers ?? '') ?? {}
  return startTracing({ tracing, environment, version: packageJson.version, headers })
}

/**
 * Not imported above, for a primary does without. The compiled code is kept, where the directory can be written to:
 * a later start takes a quarter less time, and does without the compiler of TypeScript and its 10 MB.
 */
function loadApp() {
  enableCompileCache(join(import.meta.dirname, '.data/compile-cache'))
  return import('./app.ts')
}

function isPrimary({ primary }: Service, { server }: Config): boolean {
  return !primary && workerCount(server) > 1
}

async function startWorkers(service: Service, config: Config): Promise<void> {
  logDestination.share()
  service.group = new WorkerGroup(config, pino(sharedLoggerOptions(config), logDestination))
  await service.group.start()
}

async function startWorker(service: Service, primary: Primary): Promise<void> {
  const { config, first } = await primary.task
  const { host, port } = config.server
  service.tracing = await openTraces(config)
  const { buildApp } = await loadApp()
  logDestination.share()
  const logger = { ...sharedLoggerOptions(config), stream: logDestination }
  const app = await buildApp(config, { logger, logDestination, tracing: service.tracing })
  service.app = app
  primary.share(app)
  // One tells where they all are.
  const listenTextResolver = (url: string) => (first ? `Server listening at ${url}` : 'Worker listening')
  const url = await app.listen({ host, port, listenTextResolver })
  if (first) announce(app, url)
  void primary.report(app)
}

/** Lines of several processes say whose they are. */
function sharedLoggerOptions({ log }: Config) {
  return { ...loggerOptions(log), base: { pid: process.pid } }
}

async function end({ app, group, primary, tracing, stop }: Service): Promise<void> {
  await app?.close()
  await tracing?.shutdown(TRACE_FLUSH)
  await primary?.leave()
  try {
    await group?.end()
  } finally {
    await stop?.()
  }
}

/**
 * Ends the process at a signal or an uncaught error: not ready, then, after drain_delay, no new connections,
 * then the requests in flight, then the database. At shutdown_timeout or a second signal or error it exits
 * with 1. A primary has its workers do this, and ends after them.
 */
function endGracefully(service: Service, config: Config, starting: Promise<void>): void {
  const { server } = config
  const leads = isPrimary(service, config)
  const limit = server.shutdown_timeout + (leads ? WORKERS_GRACE : 0)
  const watchdog = new Watchdog(limit)
  // A primary watches its workers. A start may block for long while it loads the application.
  if (!service.primary)
    starting.then(
      () => watchdog.start(),
      () => undefined,
    )
  let begun: Beginning | undefined

  function drain(reason: Reason): void {
    service.group?.stop('signal' in reason ? reason.signal : 'SIGTERM')
    if (!('restart' in reason)) service.app?.drain()
  }

  async function shutDown(reason: Reason): Promise<void> {
    log(service, 'err' in reason ? 'fatal' : 'info', reason, 'shutting down')
    if ('err' in reason) service.app?.recordError(reason.err, { operation: 'process', level: 'fatal' })
    drain(reason)
    // A start is not cut off, so that nothing it started stays behind.
    await starting.catch(() => undefined)
    drain(reason)
    // An error leaves the process in doubt; it does not stay to be polite.
    if ('signal' in reason && !leads) await sleep(server.drain_delay)
    if ('restart' in reason && service.app) await handOver(service.app, server)
    await end(service)
    log(service, 'info', {}, 'shut down')
  }

  async function exitNow(fields: object, message: string): Promise<void> {
    log(service, 'fatal', fields, message)
    await service.group?.abort()
    await logDestination.flush(LOG_FLUSH)
    endNow(1)
  }

  function begin(reason: Reason): void {
    begun = { reason, at: performance.now() }
    watchdog.expectEnd()
    const deadline = setTimeout(exitNow, limit, {}, 'shutdown_timeout is over, exiting')
    shutDown(reason)
      .finally(() => clearTimeout(deadline))
      .then(
        () => exit('err' in reason ? 1 : 0),
        (err: unknown) => exitNow({ err }, 'shutdown failed'),
      )
  }

  function beginOnce(reason: Reason): void {
    if (!begun) begin(reason)
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (!begun) begin({ signal })
    else if (!isEcho(begun, signal)) exitNow({ signal }, 'second signal, exiting')
  }

  function onError(err: unknown): void {
    if (begun) exitNow({ err }, 'uncaught error during shutdown, exiting')
    else begin({ err })
  }

  process.on('SIGUSR2', () => toggleDebug(service))
  // Unhandled rejections come here too.
  process.on('uncaughtException', onError)
  if (service.primary) {
    process.on('SIGTERM', (signal) => beginOnce({ signal }))
    service.primary.follow({
      stop: (signal) => beginOnce({ signal }),
      retire: () => beginOnce({ restart: true }),
      abort: () => exitNow({}, 'told to exit at once'),
      orphaned: () => beginOnce({ err: new Error('the primary process is gone') }),
    })
    return
  }
  const outlives = outlivesTerminal()
  for (const signal of SIGNALS) {
    // From a terminal SIGHUP means that it is closed, and not that there is something new.
    if (signal === 'SIGHUP' && leads && !isatty(0)) process.on(signal, () => begun || restart(service.group))
    // Without a listener Node would end the process.
    else if (signal === 'SIGHUP' && outlives) process.on(signal, () => undefined)
    else process.on(signal, onSignal)
  }
  // The shell that npm put between itself and us need not pass signals on, and would leave us behind. By nohup we
  // are to be left behind: npm ends with its terminal.
  if (!outlives && process.env['npm_lifecycle_event'] !== undefined) followParent(() => onSignal('SIGTERM'))
}

/** Exits when the log has been taken, or nobody takes it. */
async function exit(code: 0 | 1): Promise<void> {
  await logDestination.flush(LOG_FLUSH)
  endWhenIdle(code)
}

/**
 * Has new workers take the place of the old ones, with the configuration as it is now; the environment's
 * variables are those of this process's start.
 */
function restart(group: WorkerGroup | undefined): void {
  try {
    group?.restart(loadConfig({ env: process.env }).config)
  } catch (err) {
    group?.log.error({ err }, 'not restarting: the workers go on as they are')
  }
}

/** Logs everything from `debug` on, or, when levels were changed before, as the configuration says. */
function toggleDebug({ app, group, primary }: Service): void {
  // To a worker its primary says what it was told; before there is a logger there is nothing to set.
  if (primary) return
  group?.toggleLogLevels()
  app?.logLevels.toggle()
}

/** A Ctrl-C reaches every process of a terminal; what it means for workers, the primary says. */
function leaveSignalsToPrimary(): void {
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => undefined)
}

function isEcho({ reason, at }: Beginning, signal: NodeJS.Signals): boolean {
  return 'signal' in reason && reason.signal === signal && performance.now() - at < ECHO
}

/** Logs; says it on standard error while there is no logger yet. */
function log({ app, group }: Service, level: 'info' | 'fatal', fields: object, message: string): void {
  const logger = app?.log ?? group?.log
  if (logger) logger[level](fields, message)
  else say('err' in fields ? `${message}: ${explainFailure(fields.err)}` : message)
}

const EXPOSED = `Warning    Others can reach this service, and it has development settings: a signing secret that everybody
           knows, everybody's mail at /dev/mail, open metrics. Set APP_ENVIRONMENT=production to serve them.`

/** Tells a person where things are. On standard error: the log has standard output to itself. */
function announce(app: FastifyInstance, url: string): void {
  const { environment, docs, role, server } = app.config
  if (LENIENT_ENVIRONMENTS.includes(environment) && !isLoopback(server.host)) say(EXPOSED)
  if (environment !== 'development') return
  if (role !== 'worker') {
    say(`API        ${url}/api/v1`)
    if (docs.enabled) say(`Swagger UI ${url}/docs`)
    if (app.mailbox) say(`Mailbox    ${url}/dev/mail`)
  }
  say(`Health     ${url}/health`)
  say(`Metrics    ${url}/metrics`)
}

function say(message: string): void {
  process.stderr.write(`${message}\n`)
}

main().catch((error: unknown) => {
  say(explainFailure(error, { listening: true }))
  return exit(1)
})
