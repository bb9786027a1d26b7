import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { LogLevels } from '#schemas/log-levels.ts'
import type { ToPrimary, ToWorker } from '../messages.ts'
import { readRegistry } from '../metric-data.ts'

/** The configuration to serve. */
export type Task = Pick<Extract<ToWorker, { type: 'serve' }>, 'config' | 'first' | 'sources'>

/** The primary's orders, which a worker carries out. */
export interface Orders {
  stop(signal: NodeJS.Signals): void
  retire(): void
  abort(): void
  /** The primary is gone, and the port with it. */
  orphaned(): void
}

/** Milliseconds that a scrape waits for the primary, which itself waits a second for each worker. */
const READ_TIMEOUT_MS = 5000

/** Milliseconds between looks at whether this worker is ready for the first time. */
const READY_CHECK_INTERVAL_MS = 100

/** A worker's connection to its primary. */
export class PrimaryLink {
  readonly #worker: Worker
  readonly #task = Promise.withResolvers<Task>()
  /** Who waits for the metrics of all. */
  readonly #readers = new Map<number, (text: string | null) => void>()
  #readCount = 0
  #app: FastifyInstance | undefined
  /** Levels from the primary, received before there was an instance. */
  #logLevels: LogLevels | undefined
  readonly #orders = Promise.withResolvers<Orders>()
  /** Resolves when the primary is gone. */
  readonly gone: Promise<void>

  constructor(worker: Worker) {
    this.#worker = worker
    this.gone = new Promise((resolve) => worker.once('disconnect', resolve))
    worker.on('message', (message: ToWorker) => this.#receive(message))
    this.#send({ type: 'online' })
  }

  /** Undefined in a process that is not a worker. */
  static find(): PrimaryLink | undefined {
    return cluster.worker && new PrimaryLink(cluster.worker)
  }

  get task(): Promise<Task> {
    return this.#task.promise
  }

  /** From now on does what it says. */
  follow(orders: Orders): void {
    this.#orders.resolve(orders)
    this.#worker.once('disconnect', () => {
      // Else Node ends the process on the spot, with what is in flight.
      this.#worker.exitedAfterDisconnect = true
      orders.orphaned()
    })
  }

  /**
   * From now on the instance's metrics are those of all workers, and of all its own are part; and the levels of
   * the log are everybody's.
   */
  share(app: FastifyInstance): void {
    this.#app = app
    const { contentType } = app.metrics
    app.readMetrics = async () => ({ contentType, text: await this.#readMetrics() })
    app.changeLogLevels = (levels) => {
      app.logLevels.set(levels)
      this.#send({ type: 'log_levels', levels })
    }
    if (this.#logLevels) app.logLevels.set(this.#logLevels)
  }

  /** Says that the instance listens, and, when that comes true, that it is ready. */
  async report(app: FastifyInstance): Promise<void> {
    const address = app.server.address()
    this.#send({
      type: 'listening',
      port: address !== null && typeof address === 'object' ? address.port : 0,
    })
    for (;;) {
      const checks = await app.health.run()
      if (checks.every(({ status }) => status === 'up')) return this.#send({ type: 'ready' })
      if (app.isDraining()) return
      await sleep(READY_CHECK_INTERVAL_MS, undefined, { ref: false })
    }
  }

  /** Reports what this process has counted, because it ends. */
  async leave(): Promise<void> {
    if (!this.#app) return
    const metrics = await readRegistry(this.#app.metrics)
    await new Promise<void>((resolve) => this.#send({ type: 'collected', id: null, metrics }, resolve))
  }

  #receive(message: ToWorker): void {
    switch (message.type) {
      case 'serve':
        this.#task.resolve(message)
        break
      case 'collect':
        void this.#collect(message.id)
        break
      case 'read':
        this.#readers.get(message.id)?.(message.text)
        break
      case 'log_levels':
        this.#setLogLevels(message.levels)
        break
      case 'ping':
        this.#send({ type: 'pong' })
        break
      default:
        // An order may come together with the task.
        void this.#orders.promise.then((orders) => obey(orders, message))
    }
  }

  #setLogLevels(levels: LogLevels | null): void {
    this.#logLevels = levels ?? undefined
    if (levels) this.#app?.logLevels.set(levels)
    else this.#app?.logLevels.reset()
  }

  async #collect(id: number): Promise<void> {
    this.#send({ type: 'collected', id, metrics: this.#app ? await readRegistry(this.#app.metrics) : [] })
  }

  /** @throws when the primary does not answer in time */
  async #readMetrics(): Promise<string> {
    const id = this.#readCount++
    const answer = new Promise<string | null>((resolve) => this.#readers.set(id, resolve))
    this.#send({ type: 'read', id })
    const text = await Promise.race([answer, sleep(READ_TIMEOUT_MS, null, { ref: false })])
    this.#readers.delete(id)
    if (text === null) throw new Error('the primary process gave no metrics')
    return text
  }

  #send(message: ToPrimary, sent: () => void = () => undefined): void {
    if (this.#worker.isConnected()) this.#worker.send(message, sent)
    else sent()
  }
}

function obey(orders: Orders, message: Extract<ToWorker, { type: keyof Orders }>): void {
  if (message.type === 'stop') orders.stop(message.signal)
  else orders[message.type]()
}
