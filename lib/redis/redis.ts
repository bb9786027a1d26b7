import { createHash } from 'node:crypto'
import { answerWithin, NoAnswer } from '#lib/waiting/patience.ts'
import type { RedisClient, RedisConnection } from './connection.ts'

/** Redis sent no answer, or refused; the caller has to do without. */
export class RedisUnavailable extends Error {
  constructor(cause?: unknown) {
    super('Redis is not available', { cause })
    this.name = 'RedisUnavailable'
  }
}

/** Why a command failed: the connection broke, nothing came in time, or the server refused it. */
export type RedisFailure = 'lost' | 'no_answer' | 'refused'

/** A script for `Redis.run`; made once, at import. */
export interface Script {
  readonly lua: string
  readonly sha1: string
}

export interface RedisSettings {
  /** Milliseconds after which an answer is not awaited any more, and the connection is replaced. */
  readonly timeout: number
  /** Put before each key. */
  readonly prefix: string
  /** Is told of each command that was sent; `seconds` from sending it to its end. */
  readonly finished: (failure: RedisFailure | undefined, seconds: number) => void
}

/** Errors of a server that can't serve us for a while; another one behind the same name may not send them. */
const NOT_NOW = /^(?:READONLY|LOADING|MASTERDOWN|MISCONF|OOM|NOAUTH|CLUSTERDOWN)\b/

/**
 * Redis or Valkey, as a help and never a need: a command is answered within the time limit or fails, and while
 * the server is away it fails at once, with RedisUnavailable. Nothing waits for a connection.
 */
export class Redis {
  readonly #connection: RedisConnection
  readonly #settings: RedisSettings

  constructor(connection: RedisConnection, settings: RedisSettings) {
    this.#connection = connection
    this.#settings = settings
  }

  /** Whether commands have a chance. */
  get isReady(): boolean {
    return this.#connection.client !== undefined
  }

  /** Returns a value; undefined if there is none. */
  async get(key: string): Promise<string | undefined> {
    return (await this.#send<string | null>(['GET', this.#keyOf(key)])) ?? undefined
  }

  /** @param px milliseconds after which the value is gone */
  async set(key: string, value: string, { px }: { px: number }): Promise<void> {
    await this.#send(['SET', this.#keyOf(key), value, 'PX', String(Math.ceil(px))])
  }

  /** Runs a script, by its digest where the server knows it. Everything it touches must be among `keys`. */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const words = [String(keys.length), ...keys.map((key) => this.#keyOf(key)), ...args.map(String)]
    try {
      return await this.#send(['EVALSHA', script.sha1, ...words])
    } catch (error) {
      if (!(error instanceof RedisUnavailable && this.#isUnknownScript(error.cause))) throw error
      return await this.#send(['EVAL', script.lua, ...words])
    }
  }

  #keyOf(key: string): string {
    return this.#settings.prefix + key
  }

  async #send<T>(words: readonly string[]): Promise<T> {
    const { client } = this.#connection
    if (client === undefined) throw new RedisUnavailable()
    const { timeout, finished } = this.#settings
    const began = performance.now()
    try {
      const reply = await answerWithin(client.sendCommand<T>(words), timeout)
      finished(undefined, (performance.now() - began) / 1000)
      return reply
    } catch (error) {
      finished(this.#fail(client, error), (performance.now() - began) / 1000)
      throw new RedisUnavailable(error)
    }
  }

  /** Says what happened, and sees to it that nobody else waits for a server that can't answer. */
  #fail(client: RedisClient, error: unknown): RedisFailure | undefined {
    if (error instanceof NoAnswer) {
      this.#connection.abandon(client, error)
      return 'no_answer'
    }
    if (!this.#connection.isRefusal(error)) return 'lost'
    if (this.#isUnknownScript(error)) return undefined
    if (NOT_NOW.test(error.message)) this.#connection.abandon(client, error)
    return 'refused'
  }

  /** The server has restarted, or never ran the script. This is not a failure: the whole script is then sent. */
  #isUnknownScript(error: unknown): boolean {
    return this.#connection.isRefusal(error) && error.message.startsWith('NOSCRIPT')
  }
}

/** Declares a script. */
export function defineScript(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') }
}
