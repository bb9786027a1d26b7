import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#config/schema/schema.ts'
import { settledWithin } from '#lib/waiting/settled-within.ts'
import { endNow, endWhenIdle } from './end-process.ts'
import { isPrimary, log, type Service } from './service.ts'
import { Watchdog } from './watchdog.ts'
import { handOver } from './worker/hand-over.ts'

/** The reason to end; `restart` is for a worker that another one has already replaced. */
export type Reason = { signal: NodeJS.Signals } | { err: unknown } | { restart: true }

/** A step of the end. All of them together have `shutdown_timeout`; the log says in which one that was over. */
interface Phase {
  readonly name: string
  readonly run: () => Promise<unknown> | undefined
  /** Whether it comes also after a phase that failed. */
  readonly always?: boolean
}

/** The time that the shutdown waits for the reader of the log. */
const LOG_FLUSH_TIMEOUT_MS = 1000

/** The time that the shutdown waits for the receiver of traces. */
const TRACE_FLUSH_TIMEOUT_MS = 2000

/** The time that an end which can't wait any more has for an embedded database. */
const LEAVE_DATABASE_TIMEOUT_MS = 1000

/** The time beyond shutdown_timeout in which workers can say that theirs is over. */
const WORKERS_GRACE_MS = 1000

/** A signal that is repeated within this time counts once: npm passes on the Ctrl-C that we got too. */
const ECHO_MS = 500

/** How the process ends in the end; a test's goes on. */
const ENDS = { now: (code: 0 | 1): void => endNow(code), whenIdle: endWhenIdle }

/**
 * The end of the process: not ready, then, after drain_delay, no new connections, then the requests in flight, then
 * the database. At shutdown_timeout or a second signal or error it exits with 1. A primary has its workers do this, and
 * ends after them.
 */
export class Shutdown {
  readonly #service: Service
  readonly #config: Config
  readonly #starting: Promise<void>
  readonly #limitMs: number
  readonly #watchdog: Watchdog
  readonly #ends: typeof ENDS
  #begun: { readonly reason: Reason; readonly at: number } | undefined
  #phase = ''

  constructor(service: Service, config: Config, starting: Promise<void>, ends = ENDS) {
    this.#service = service
    this.#config = config
    this.#starting = starting
    this.#ends = ends
    this.#limitMs = config.server.shutdown_timeout + (isPrimary(service, config) ? WORKERS_GRACE_MS : 0)
    this.#watchdog = new Watchdog(this.#limitMs)
    // A primary watches its workers. A start may block for long while it loads the application.
    if (service.primary) return
    starting.then(
      () => this.#watchdog.start(),
      () => undefined,
    )
  }

  get isUnderWay(): boolean {
    return this.#begun !== undefined
  }

  /** Begins the end, unless it has begun. */
  begin(reason: Reason): void {
    if (this.#begun) return
    this.#begun = { reason, at: performance.now() }
    this.#watchdog.expectEnd()
    const deadline = setTimeout(
      () => this.exitNow({ phase: this.#phase }, 'shutdown_timeout is over, exiting'),
      this.#limitMs,
    )
    this.#run(reason)
      .finally(() => clearTimeout(deadline))
      .then(
        () => exit(this.#service, 'err' in reason ? 1 : 0, this.#ends),
        (err: unknown) => this.exitNow({ err }, 'shutdown failed'),
      )
  }

  /** Begins the end at a signal; a second one ends the process at once. */
  onSignal(signal: NodeJS.Signals): void {
    if (!this.#begun) this.begin({ signal })
    else if (!this.#isEcho(signal)) void this.exitNow({ signal }, 'second signal, exiting')
  }

  /** Begins the end at an uncaught error; during the end it ends the process at once. */
  onError(err: unknown): void {
    if (this.#begun) void this.exitNow({ err }, 'uncaught error during shutdown, exiting')
    else this.begin({ err })
  }

  async exitNow(fields: object, message: string): Promise<void> {
    log(this.#service, 'fatal', fields, message)
    await this.#service.group?.abort()
    await this.#service.logDestination.flush(LOG_FLUSH_TIMEOUT_MS)
    await this.#leaveDatabase()
    this.#ends.now(1)
  }

  /** Nobody else would end an embedded server that only this process uses; it is told to end, if not waited for. */
  async #leaveDatabase(): Promise<void> {
    const { abandonDatabase, stopDatabase } = this.#service
    const left = stopDatabase?.()
    if (left) await settledWithin(left, LEAVE_DATABASE_TIMEOUT_MS)
    abandonDatabase?.()
  }

  async #run(reason: Reason): Promise<void> {
    const service = this.#service
    log(service, 'err' in reason ? 'fatal' : 'info', reason, 'shutting down')
    if ('err' in reason) service.app?.recordError(reason.err, { operation: 'process', level: 'fatal' })
    this.#refuseWork(reason)
    await runPhases([...this.#leave(reason), ...endPhases(service)], (name) => {
      this.#phase = name
    })
    log(service, 'info', {}, 'shut down')
  }

  /** The phase before the service ends, in which clients and load balancers notice and turn elsewhere. */
  #leave(reason: Reason): Phase[] {
    const service = this.#service
    const { server } = this.#config
    // An error leaves the process in doubt; it does not stay to be polite.
    const drains = 'signal' in reason && !isPrimary(service, this.#config)
    return [
      // A start is not cut off, so that nothing it started stays behind.
      { name: 'finish the start', run: () => this.#starting.catch(() => undefined) },
      { name: 'refuse work', run: async () => this.#refuseWork(reason) },
      { name: 'drain_delay', run: async () => (drains ? sleep(server.drain_delay) : undefined) },
      {
        name: 'hand over',
        run: async () => ('restart' in reason && service.app ? handOver(service.app, server) : undefined),
      },
    ]
  }

  #refuseWork(reason: Reason): void {
    this.#service.group?.stop('signal' in reason ? reason.signal : 'SIGTERM')
    if (!('restart' in reason)) this.#service.app?.drain()
  }

  #isEcho(signal: NodeJS.Signals): boolean {
    if (!this.#begun) return false
    const { reason, at } = this.#begun
    return 'signal' in reason && reason.signal === signal && performance.now() - at < ECHO_MS
  }
}

/** Ends what a service has started. */
export function endService(service: Service): Promise<void> {
  return runPhases(endPhases(service))
}

function endPhases(service: Service): Phase[] {
  return [
    { name: 'close the application', run: () => service.app?.close() },
    { name: 'send traces', run: () => service.tracing?.shutdown(TRACE_FLUSH_TIMEOUT_MS) },
    { name: 'report the last metrics', run: () => service.primary?.leave() },
    { name: 'wait for the workers', run: () => service.group?.end() },
    { name: 'leave the database', run: () => service.stopDatabase?.(), always: true },
  ]
}

/** Runs them in turn. After one that fails, only those run that always do; its error is thrown in the end. */
async function runPhases(phases: readonly Phase[], entered?: (name: string) => void): Promise<void> {
  const errors: unknown[] = []
  for (const { name, run, always = false } of phases) {
    if (errors.length > 0 && !always) continue
    entered?.(name)
    try {
      await run()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/** Exits when the log has been taken, or nobody takes it. */
export async function exit(
  { logDestination }: Pick<Service, 'logDestination'>,
  code: 0 | 1,
  { whenIdle }: Pick<typeof ENDS, 'whenIdle'> = ENDS,
): Promise<void> {
  await logDestination.flush(LOG_FLUSH_TIMEOUT_MS)
  whenIdle(code)
}
