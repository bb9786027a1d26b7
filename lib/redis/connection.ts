import { createClient, ErrorReply } from '@redis/client'
import type { Log } from '#lib/context.ts'
import { answerWithin } from '#lib/waiting/patience.ts'
import { repeatUntil } from '#lib/waiting/repeat.ts'

/** The part of a client that we use: commands by their words. */
export interface RedisClient {
  sendCommand<T>(words: readonly string[]): Promise<T>
}

/** Milliseconds in which a connection must be there and take a write. */
const CONNECT_LIMIT = 1000
/** Milliseconds between attempts to connect. */
const RETRY_INTERVAL_MS = 500

/**
 * Keeps a connection to Redis. Each is a client of its own, which is dropped with all that waits for it at the
 * first sign of trouble: while the server is away there is no client, and so nothing that could queue up.
 */
export class RedisConnection {
  readonly #url: string
  readonly #prefix: string
  readonly #log: Log
  readonly #stop = new AbortController()
  #client: RedisClient | undefined
  #drop: ((reason: unknown) => void) | undefined
  #running: Promise<void> | undefined
  /** Whether the log has said that Redis is away. */
  #isMissed = false

  /** @param prefix stands before each key, also before that of the write that a new connection is tried with */
  constructor(url: string, prefix: string, log: Log) {
    this.#url = url
    this.#prefix = prefix
    this.#log = log
  }

  /** The client of the moment; undefined while Redis is away. */
  get client(): RedisClient | undefined {
    return this.#client
  }

  /** Connects, and goes on trying. Resolves after the first attempt, however it ended. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#running ??= this.#run(resolve)
    })
  }

  /** Abandons a connection that does not work; has no effect if `client` is no longer the current one. */
  abandon(client: RedisClient, reason: unknown): void {
    if (this.#client === client) this.#drop?.(reason)
  }

  /** Whether an error is the server's answer to a command. */
  isRefusal(error: unknown): error is Error {
    return error instanceof ErrorReply
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#drop?.(undefined)
    await this.#running
  }

  async #run(onFirstAttempt: () => void): Promise<void> {
    await this.#connect(onFirstAttempt)
    onFirstAttempt()
    await repeatUntil(this.#stop.signal, RETRY_INTERVAL_MS, async () => {
      await this.#connect()
      return false
    })
  }

  /** Resolves when the connection is lost or could not be opened. */
  async #connect(onReady?: () => void): Promise<void> {
    const client = newClient(this.#url)
    const lost = new Promise<unknown>((resolve) => {
      this.#drop = resolve
      client.on('error', resolve)
      client.on('end', resolve)
    })
    try {
      // A server that hangs accepts connections; a replica, or one that is full, answers, and takes no writes.
      const write = ['SET', `${this.#prefix}ready`, '1', 'PX', '1000']
      const ready = client.connect().then(() => client.sendCommand(write))
      await Promise.race([answerWithin(ready, CONNECT_LIMIT), lost.then(rethrow)])
      if (this.#stop.signal.aborted) return
      this.#client = client
      this.#isMissed = false
      this.#log.info({}, 'connected to Redis')
      onReady?.()
      await lost.then(rethrow)
    } catch (error) {
      this.#miss(error)
    } finally {
      this.#client = undefined
      client.destroy()
    }
  }

  #miss(error: unknown): void {
    if (this.#isMissed || this.#stop.signal.aborted) return
    this.#isMissed = true
    this.#log.warn({ err: error }, 'Redis is away; the service continues without it')
  }
}

function rethrow(reason: unknown): never {
  throw reason ?? new Error('the connection was closed')
}

function newClient(url: string) {
  return createClient({
    url,
    name: 'groundwork',
    // What every Redis and Valkey speaks, and proxies before them.
    RESP: 2,
    disableOfflineQueue: true,
    // Its own limit ends with the sending of a command; ours is in redis.ts.
    commandOptions: { timeout: 0 },
    socket: { connectTimeout: CONNECT_LIMIT, reconnectStrategy: false },
  })
}
