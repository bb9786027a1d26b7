import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { ConfigError } from './config/config-error.ts'
import { loadConfig } from './config/load.ts'
import { LogDestination } from './config/log-destination.ts'
import type { Config } from './config/schema.ts'
import { withDatabase } from './services/embedded-postgres/with-database.ts'

/** What has been started, and so has to be ended. */
interface Service {
  app?: FastifyInstance
  /** Leaves the embedded database server. */
  stop?: () => Promise<void>
}

/** What ends the process. */
type Reason = { signal: NodeJS.Signals } | { err: unknown }

/** Why and when the end began. */
interface Beginning {
  reason: Reason
  /** Of `performance.now()`. */
  at: number
}

/** SIGHUP comes from a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Milliseconds in which the same signal again is the same wish: npm passes on the Ctrl-C that we got too. */
const ECHO = 500

/** Milliseconds that the end waits for whoever reads the log. */
const LOG_FLUSH = 1000

/** Milliseconds between looks at whether our parent still lives. */
const PARENT_CHECK = 500

const logDestination = new LogDestination(process.stdout)
// Nobody need listen to what we say to people.
process.stderr.on('error', () => undefined)

/** The process: configuration, database, application, listener, and an orderly end. */
async function main(): Promise<void> {
  const { config } = loadConfig({ env: process.env })
  const service: Service = {}
  const starting = start(service, config)
  endGracefully(service, config, starting)
  try {
    await starting
  } catch (error) {
    await end(service)
    throw error
  }
}

async function start(service: Service, loaded: Config): Promise<void> {
  const { config, stop } = await withDatabase(loaded, say)
  service.stop = stop
  const app = await buildApp(config, { logDestination })
  service.app = app
  announce(app, await app.listen({ host: config.server.host, port: config.server.port }))
}

async function end({ app, stop }: Service): Promise<void> {
  await app?.close()
  await stop?.()
}

/**
 * Ends the process at a signal or an uncaught error: not ready, then, after drain_delay, no new connections,
 * then the requests in flight, then the database. At shutdown_timeout or a second signal or error it exits
 * with 1.
 */
function endGracefully(service: Service, { server }: Config, starting: Promise<void>): void {
  let begun: Beginning | undefined

  async function shutDown(reason: Reason): Promise<void> {
    log(service, 'signal' in reason ? 'info' : 'fatal', reason, 'shutting down')
    service.app?.drain()
    // A start is not cut off, so that nothing it started stays behind.
    await starting.catch(() => undefined)
    service.app?.drain()
    // An error leaves the process in doubt; it does not stay to be polite.
    if ('signal' in reason) await sleep(server.drain_delay)
    await end(service)
    log(service, 'info', {}, 'shut down')
  }

  function exitNow(fields: object, message: string): void {
    log(service, 'fatal', fields, message)
    void exit(1)
  }

  function begin(reason: Reason): void {
    begun = { reason, at: performance.now() }
    setTimeout(exitNow, server.shutdown_timeout, {}, 'shutdown_timeout is over, exiting')
    shutDown(reason).then(
      () => exit('signal' in reason ? 0 : 1),
      (err: unknown) => exitNow({ err }, 'shutdown failed'),
    )
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (!begun) begin({ signal })
    else if (!isEcho(begun, signal)) exitNow({ signal }, 'second signal, exiting')
  }

  function onError(err: unknown): void {
    if (begun) exitNow({ err }, 'uncaught error during shutdown, exiting')
    else begin({ err })
  }

  for (const signal of SIGNALS) process.on(signal, onSignal)
  // Unhandled rejections come here too.
  process.on('uncaughtException', onError)
  followParent(() => onSignal('SIGTERM'))
}

/** Exits when the log has been taken, or nobody takes it. */
async function exit(code: 0 | 1): Promise<void> {
  await logDestination.flush(LOG_FLUSH)
  process.exit(code)
}

function isEcho({ reason, at }: Beginning, signal: NodeJS.Signals): boolean {
  return 'signal' in reason && reason.signal === signal && performance.now() - at < ECHO
}

/**
 * Calls `onOrphaned` when the shell goes that npm put between itself and us. Where that shell does not pass
 * signals on, `npm start` would be ended without our noticing, and leave us behind.
 */
function followParent(onOrphaned: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onOrphaned()
  }, PARENT_CHECK)
  timer.unref()
}

/** Logs; says it on standard error while there is no logger yet. */
function log({ app }: Service, level: 'info' | 'fatal', fields: object, message: string): void {
  if (app) app.log[level](fields, message)
  else say('err' in fields ? `${message}: ${explain(fields.err)}` : message)
}

/** Tells a person where things are. On standard error: the log has standard output to itself. */
function announce(app: FastifyInstance, url: string): void {
  const { environment, docs, role } = app.config
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

/** Says what keeps the service from starting in words that an operator can act on. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `${error.message}\nThe port is taken, perhaps by another instance. Set APP_SERVER__PORT to use another.`
  }
  return error instanceof Error && error.stack !== undefined ? error.stack : String(error)
}

main().catch((error: unknown) => {
  say(explain(error))
  return exit(1)
})
