import type { Context, Log } from '#lib/context.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { pause } from '#lib/waiting/repeat.ts'
import { Message } from './message.ts'
import * as queries from './queries.ts'
import { openStore } from './store.ts'

/** Milliseconds between looks when nobody wakes the reader. */
const POLL_MS = 250
/** Messages that are read at once. */
const BATCH = 1000

interface ReaderOptions {
  readonly ctx: Pick<Context, 'db'>
  readonly log: Log
  /** Is given the messages, in their order, and the next ones when it is done. */
  deliver(messages: readonly Message[]): Promise<void>
  /** The store is empty, or was: nobody knows any more what was missed. */
  lost(): void
}

/**
 * Reads what is published, from the moment of its start, and passes it on. A notification wakes it; without one it looks
 * by itself, so that none can be lost for long.
 */
export class Reader {
  readonly #options: ReaderOptions
  readonly #db: SystemDatabase
  readonly #stop = new AbortController()
  readonly #warn: (error: unknown) => void
  #state: queries.State | undefined
  #opening: Promise<queries.State> | undefined
  #running: Promise<void> | undefined
  #wake = new AbortController()
  #readAt = performance.now()

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#db = openStore(options.ctx.db)
    this.#warn = warnOfTrouble(options.log, 'could not read what is published in realtime; listeners wait')
  }

  /** Milliseconds since it last read successfully; 0 before its start. */
  get silenceMs(): number {
    return this.#running === undefined ? 0 : performance.now() - this.#readAt
  }

  /** Resolves when everything that is published from now on will be delivered. */
  async start(): Promise<void> {
    if (this.#state === undefined) {
      this.#opening ??= queries.openState(this.#db).finally(() => {
        this.#opening = undefined
      })
      const state = await this.#opening
      this.#state ??= state
    }
    if (this.#running === undefined) {
      this.#readAt = performance.now()
      this.#running = this.#run()
    }
  }

  /** Has it look at once. */
  wake(): void {
    this.#wake.abort()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const isMore = await this.#look()
      if (!isMore) await pause(POLL_MS, AbortSignal.any([signal, this.#wake.signal]))
    }
  }

  /** Reads a batch; returns whether there is more. */
  async #look(): Promise<boolean> {
    try {
      const before = this.#state ?? (await queries.openState(this.#db))
      const read = await queries.selectMessages(this.#db, before.last_seq, BATCH)
      this.#readAt = performance.now()
      if (read === undefined || read.epoch !== before.epoch) {
        this.#state = read ?? (await queries.openState(this.#db))
        this.#options.lost()
        return false
      }
      const { messages } = read
      this.#state = { epoch: read.epoch, last_seq: messages.at(-1)?.seq ?? read.last_seq }
      if (messages.length > 0) await this.#options.deliver(messages.map((message) => new Message(message)))
      return messages.length === BATCH
    } catch (error) {
      this.#warn(error)
      return false
    }
  }
}
