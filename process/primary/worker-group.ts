import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { LoadedConfig } from '#config/load.ts'
import type { Config } from '#config/schema/schema.ts'
import { workerCount } from '#config/worker-count.ts'
import { toggled } from '#lib/log/levels.ts'
import { settledWithin } from '#lib/waiting/settled-within.ts'
import type { LogLevels } from '#schemas/log-levels.ts'
import { GroupMetrics } from './group-metrics.ts'
import { Slot, type SlotHost } from './slot.ts'
import { WorkerFailed } from './worker-failed.ts'
import { type End, type WorkerListener, WorkerProcess } from './worker-process.ts'

/** Milliseconds that a scrape waits for a worker, which then counts with what it said last. */
const SCRAPE_TIMEOUT_MS = 1000

/** Milliseconds in which a worker of a rolling restart must be ready, its migrations done. */
const READY_TIMEOUT_MS = 60_000

/** Milliseconds that workers have to write their last lines when they are to end at once. */
const ABORT_TIMEOUT_MS = 500

/** Milliseconds in which the kernel ends a process that is killed, unless a disk or a network holds it. */
const KILL_TIMEOUT_MS = 2000

/** The primary's side: workers that share a port, each kept alive; it serves nothing itself. */
export class WorkerGroup implements SlotHost<WorkerProcess>, WorkerListener {
  readonly log: FastifyBaseLogger
  readonly #metrics = new GroupMetrics<WorkerProcess>()
  readonly #slots = new Set<Slot>()
  /** Slots of a rolling restart whose worker was not ready yet. */
  readonly #onTrial = new Set<Slot>()
  #config: Config
  #sources: LoadedConfig['sources']
  /** The port that a 0 stood for. */
  #port: number | undefined
  #portIsFixed = false
  /** Levels that were set while it ran; undefined for those of the configuration. */
  #logLevels: LogLevels | undefined
  #forked = 0
  #alive = 0
  #stopping = false
  /** Whether a worker was ready once: from then on the group outlives any of them. */
  #established = false
  #failed: WorkerFailed | undefined
  #started = false
  /** The start, and each restart after the one before. */
  #changed: Promise<void> = Promise.resolve()

  /** @param loaded with `database.url` set */
  constructor({ config, sources }: LoadedConfig, log: FastifyBaseLogger) {
    this.#config = config
    this.#sources = sources
    this.log = log
  }

  /**
   * Starts all workers and waits until they listen. One goes ahead, so that a port that is taken or a failed
   * migration is told once.
   *
   * @throws WorkerFailed
   */
  start(): Promise<void> {
    // A wish to restart waits for it.
    this.#changed = this.#startAll()
    return this.#changed
  }

  /** Has every worker end as at this signal. */
  stop(signal: NodeJS.Signals): void {
    this.#stopping = true
    for (const slot of this.#slots) slot.stop(signal)
  }

  /**
   * Waits until all have ended.
   *
   * @throws when one did not end well
   */
  async end(): Promise<void> {
    const ends = await Promise.all([...this.#slots].map((slot) => slot.done))
    if (ends.includes(false)) throw new Error('not every worker ended well')
  }

  /** Ends them at once, and waits until they are gone. */
  async abort(): Promise<void> {
    this.#stopping = true
    const members = [...this.#slots].map((slot) => slot.member)
    const ended = Promise.all(members.map((member) => member.ended))
    for (const member of members) member.abort()
    await settledWithin(ended, ABORT_TIMEOUT_MS)
    for (const member of members) member.kill()
    // What is killed is still there until the kernel gets to it.
    await settledWithin(ended, KILL_TIMEOUT_MS)
  }

  /**
   * Replaces the workers one by one: the next old one is ended when a new one is ready. When a new one does
   * not get ready, the old ones that are left go on.
   */
  restart(loaded: LoadedConfig): void {
    this.#changed = this.#changed.then(() => this.#replaceAll(loaded))
    this.#changed.catch((err: unknown) => this.log.error({ err }, 'the rolling restart failed'))
  }

  fork(): WorkerProcess {
    const { server, ...others } = this.#config
    const port = server.port === 0 ? this.#choosePort() : server.port
    const config = { ...others, server: { ...server, port } }
    const member = new WorkerProcess({ config, sources: this.#sources }, this.#forked++ === 0, this)
    if (this.#logLevels) member.setLogLevels(this.#logLevels)
    this.#alive++
    void member.listening.then((bound) => {
      this.#port ??= bound
      // Those that it was to share the port with died before it listened: its successor asks for that port.
      if (this.#stopping || port !== 0 || bound === undefined || bound === this.#port) return
      this.#portIsFixed = true
      member.kill()
    })
    void member.ready.then((ready) => {
      this.#established ||= ready
    })
    void member.ended.then(() => {
      this.#alive--
      this.#metrics.retire(member)
    })
    return member
  }

  lost(slot: Slot, end: End, delay: number): boolean {
    const { pid } = slot.member
    if (this.#stopping) return false
    if (this.#onTrial.has(slot)) {
      this.log.error({ worker_pid: pid, ...end }, 'a new worker ended before it was ready')
      return false
    }
    if (!this.#established || !this.#started) {
      this.#fail(new WorkerFailed(end))
      return false
    }
    const message = 'a worker ended; another takes its place'
    if (end.code === 0) this.log.warn({ worker_pid: pid, ...end, delay_ms: delay }, message)
    else this.log.error({ worker_pid: pid, ...end, delay_ms: delay }, message)
    return true
  }

  collected(member: WorkerProcess, metrics: Parameters<WorkerListener['collected']>[1]): void {
    this.#metrics.update(member, metrics)
  }

  async read(): Promise<string> {
    await Promise.all([...this.#slots].map((slot) => slot.member.collect(SCRAPE_TIMEOUT_MS)))
    return this.#metrics.read()
  }

  /** Has all workers, and those that take their places, log everything from `debug` on, or as before. */
  toggleLogLevels(): void {
    this.#setLogLevels(toggled(this.#logLevels))
  }

  logLevelsWanted(levels: LogLevels): void {
    this.#setLogLevels(levels)
  }

  stuck({ pid }: WorkerProcess): void {
    this.log.error({ worker_pid: pid }, 'a worker does not answer any more and is killed')
  }

  #setLogLevels(levels: LogLevels | undefined): void {
    this.#logLevels = levels
    this.log.level = levels?.level ?? this.#config.log.level
    this.log.warn({ log_levels: levels ?? null }, 'log levels changed for all workers')
    for (const { member } of this.#slots) member.setLogLevels(levels)
  }

  async #startAll(): Promise<void> {
    await isUp(this.#open())
    if (!this.#failed && !this.#stopping) {
      const others = Array.from({ length: workerCount(this.#config.server) - 1 }, () => this.#open())
      await Promise.all(others.map(isUp))
    }
    this.#started = true
    if (this.#failed) throw this.#failed
  }

  /** Workers that ask for 0 share a port while there is one of them; when all have died it must be that one again. */
  #choosePort(): number {
    if (this.#alive === 0 && this.#port !== undefined) this.#portIsFixed = true
    return this.#portIsFixed ? (this.#port ?? 0) : 0
  }

  #fail(error: WorkerFailed): void {
    this.#failed ??= error
    // Not awaited: it ends the process, as an unhandled rejection.
    if (this.#started) void Promise.reject(error)
  }

  #open(): Slot {
    const slot = new Slot(this)
    this.#slots.add(slot)
    return slot
  }

  async #replaceAll({ config, sources }: LoadedConfig): Promise<void> {
    this.#sources = sources
    // Without a URL the embedded server is used, which goes on.
    const { url } = this.#config.database
    this.#config = { ...config, database: { ...(url === undefined ? {} : { url }), ...config.database } }
    const old = [...this.#slots]
    const count = workerCount(config.server)
    this.log.info({ workers: count }, 'restarting the workers one by one')
    for (let index = 0; index < Math.max(count, old.length); index++) {
      if (this.#stopping) return
      if (index < count && !(await this.#openReady())) {
        if (!this.#stopping) this.log.error('the rolling restart is given up; the old workers go on')
        return
      }
      await this.#retire(old[index])
    }
    if (!this.#stopping) this.log.info({ workers: count }, 'restarted the workers')
  }

  /** Opens a slot, and closes it again when its worker does not get ready. */
  async #openReady(): Promise<boolean> {
    const slot = this.#open()
    this.#onTrial.add(slot)
    const ready = await Promise.race([slot.member.ready, sleep(READY_TIMEOUT_MS, false, { ref: false })])
    this.#onTrial.delete(slot)
    if (ready || this.#stopping) return ready
    slot.stop('SIGTERM')
    await slot.done
    this.#slots.delete(slot)
    return false
  }

  async #retire(slot: Slot | undefined): Promise<void> {
    if (!slot || this.#stopping) return
    slot.retire()
    if (!(await slot.done)) this.log.error({ worker_pid: slot.member.pid }, 'a worker did not end well')
    if (!this.#stopping) this.#slots.delete(slot)
  }
}

/** Waits until a slot's worker listens, or it is clear that none will. */
async function isUp({ member, done }: Slot): Promise<void> {
  if ((await member.listening) === undefined) await done
}
