import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadedConfig } from '#config/load.ts'
import type { LogLevels } from '#schemas/log-levels.ts'
import type { ToPrimary, ToWorker } from '../messages.ts'

/** How a worker ended. */
export interface End {
  code: number | null
  signal: string | null
}

/** Is told what a worker says that is not for the one who forked it. */
export interface WorkerListener {
  collected(member: WorkerProcess, metrics: Extract<ToPrimary, { type: 'collected' }>['metrics']): void
  /** Returns the metrics of all. */
  read(): Promise<string>
  /** It was told at what levels all are to log. */
  logLevelsWanted(levels: LogLevels): void
  /** It has not answered for a long time, and is killed. */
  stuck(member: WorkerProcess): void
}

/** Milliseconds between questions whether a worker still answers. */
const PING_INTERVAL_MS = 5000

/**
 * Questions without a word after which a worker counts as stuck: half a minute, far above what a busy machine does. They
 * are counted, because a clock goes on while this process stands still itself, and its workers' words wait.
 */
const MAX_UNANSWERED = 6

/** A worker process that the primary has started. */
export class WorkerProcess {
  readonly #worker: Worker
  readonly #listener: WorkerListener
  readonly #listening = Promise.withResolvers<number | undefined>()
  readonly #ready = Promise.withResolvers<boolean>()
  readonly #ended = Promise.withResolvers<End>()
  /** Who waits for its metrics. */
  readonly #collections = new Map<number, () => void>()
  #collectionCount = 0
  /** Messages to send once it can hear: Node delivers earlier ones to nobody. */
  #unsent: ToWorker[] | undefined = []
  /** Questions since its last word. */
  #unanswered = 0

  /** @param worker the process; a new one, unless it is named */
  constructor(
    { config, sources }: LoadedConfig,
    first: boolean,
    listener: WorkerListener,
    worker = cluster.fork(),
  ) {
    this.#listener = listener
    this.#worker = worker
    this.#worker.on('message', (message: ToPrimary) => this.#receive(message))
    this.#worker.once('exit', (code, signal) => this.#end({ code, signal }))
    this.#worker.on('error', () => {
      // What could not be forked has no exit; what could not be sent is followed by one.
      if (this.pid === undefined) this.#end({ code: null, signal: null })
    })
    this.#send({ type: 'serve', config, sources: [...sources], first })
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  /** Its port once it takes connections; undefined when it ended before. */
  get listening(): Promise<number | undefined> {
    return this.#listening.promise
  }

  /** Whether it was ready once; false when it ended before. */
  get ready(): Promise<boolean> {
    return this.#ready.promise
  }

  get ended(): Promise<End> {
    return this.#ended.promise
  }

  stop(signal: NodeJS.Signals): void {
    this.#send({ type: 'stop', signal })
  }

  retire(): void {
    this.#send({ type: 'retire' })
  }

  abort(): void {
    this.#send({ type: 'abort' })
  }

  /** Has it log at these levels, or, without, as the configuration says. */
  setLogLevels(levels: LogLevels | undefined): void {
    this.#send({ type: 'log_levels', levels: levels ?? null })
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  /** Asks for its metrics, which the listener is told, and waits some milliseconds for them. */
  async collect(timeout: number): Promise<void> {
    const id = this.#collectionCount++
    const collected = new Promise<void>((resolve) => this.#collections.set(id, resolve))
    this.#send({ type: 'collect', id })
    await Promise.race([collected, this.ended, sleep(timeout, undefined, { ref: false })])
    this.#collections.delete(id)
  }

  #receive(message: ToPrimary): void {
    this.#unanswered = 0
    switch (message.type) {
      case 'online':
        this.#flush()
        break
      case 'listening':
        this.#listening.resolve(message.port)
        this.#watch()
        break
      case 'ready':
        this.#ready.resolve(true)
        break
      case 'collected':
        this.#listener.collected(this, message.metrics)
        if (message.id !== null) this.#collections.get(message.id)?.()
        break
      case 'log_levels':
        this.#listener.logLevelsWanted(message.levels)
        break
      case 'read':
        this.#answer(message.id)
        break
    }
  }

  #answer(id: number): void {
    this.#listener.read().then(
      (text) => this.#send({ type: 'read', id, text }),
      () => this.#send({ type: 'read', id, text: null }),
    )
  }

  /** Ends it when it is stuck: its share of the connections would wait for ever, and probes see the others. */
  #watch(): void {
    const timer = setInterval(() => {
      if (this.#unanswered >= MAX_UNANSWERED) {
        clearInterval(timer)
        this.#listener.stuck(this)
        this.kill()
      } else {
        this.#unanswered++
        this.#send({ type: 'ping' })
      }
    }, PING_INTERVAL_MS)
    timer.unref()
    void this.ended.then(() => clearInterval(timer))
  }

  #end(end: End): void {
    this.#listening.resolve(undefined)
    this.#ready.resolve(false)
    this.#ended.resolve(end)
  }

  #flush(): void {
    const unsent = this.#unsent ?? []
    this.#unsent = undefined
    for (const message of unsent) this.#send(message)
  }

  #send(message: ToWorker): void {
    if (this.#unsent) {
      this.#unsent.push(message)
      return
    }
    // One that has just died is told nothing any more; its end says so.
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined)
  }
}
