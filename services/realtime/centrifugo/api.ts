import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ENDINGS } from '../protocol.ts'

/** Milliseconds that Centrifugo may take for a request. */
const TIMEOUT_MS = 3000

interface ApiOptions {
  /** Where the cluster is, such as `http://centrifugo:8000`. */
  readonly url: string
  readonly key: string
}

/** A command as JSON. */
export type ApiCommand = string

const Replies = Type.Object({
  replies: Type.Array(
    Type.Object({ error: Type.Optional(Type.Object({ code: Type.Number(), message: Type.String() })) }),
  ),
})

/** Centrifugo did not do what it was asked to. */
export class CentrifugoError extends Error {
  /** Tells kinds of trouble apart: `centrifugo_unreachable`, or with the status or the number of the error. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The HTTP API of a Centrifugo cluster; any of its nodes will do. */
export class CentrifugoApi {
  readonly #options: ApiOptions
  #isUp = false

  constructor(options: ApiOptions) {
    this.#options = options
  }

  /** Whether it answered the last request. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** Asks for a sign of life. */
  async check(): Promise<void> {
    await this.#post('info', '{}')
  }

  /**
   * Has commands done one after another. Returns how many of them were, before one was refused or after the last.
   *
   * @throws CentrifugoError when the first is refused, or nobody answers: then some may be done
   */
  async run(commands: readonly ApiCommand[]): Promise<number> {
    const answer = await this.#post('batch', `{"commands":[${commands.join(',')}]}`)
    if (!Value.Check(Replies, answer) || answer.replies.length !== commands.length) {
      throw new CentrifugoError('centrifugo_answer', 'Centrifugo did not answer each command')
    }
    const refused = answer.replies.findIndex(({ error }) => error !== undefined)
    if (refused !== 0) return refused === -1 ? commands.length : refused
    const { code = 0, message = '' } = answer.replies[0]?.error ?? {}
    throw new CentrifugoError(`centrifugo_error_${code}`, `Centrifugo refused a command: ${message}`)
  }

  /**
   * Asks something; returns the result.
   *
   * @throws CentrifugoError when it is refused, or nobody answers as expected
   */
  async ask<T extends TSchema>(method: string, request: object, result: T): Promise<Static<T>> {
    const answer = await this.#post(method, JSON.stringify(request))
    const found: unknown = Object(answer).result
    if (!Value.Check(result, found)) {
      throw new CentrifugoError('centrifugo_answer', `Centrifugo did not answer ${method} as expected`)
    }
    return found
  }

  async #post(method: string, body: string): Promise<unknown> {
    const { url, key } = this.#options
    try {
      const response = await fetch(`${url.replace(/\/$/, '')}/api/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      const text = await response.text()
      if (response.status !== 200) {
        throw new CentrifugoError(
          `centrifugo_status_${response.status}`,
          `Centrifugo answered ${response.status}`,
        )
      }
      this.#isUp = true
      return JSON.parse(text)
    } catch (error) {
      this.#isUp = false
      if (error instanceof CentrifugoError) throw error
      throw new CentrifugoError('centrifugo_unreachable', 'Centrifugo does not answer', { cause: error })
    }
  }
}

/** Publishes a message; what comes again with the same id within minutes is not published again. */
export function publishing(channel: string, data: string, id: string): ApiCommand {
  return `{"publish":{"channel":${JSON.stringify(channel)},"data":${data},"idempotency_key":"${id}"}}`
}

/** Has all clients of a caller (`principalId`) connect again, which decides again what they may hear. */
export function reconnecting(caller: string): ApiCommand {
  return JSON.stringify({ disconnect: { user: caller, disconnect: ENDINGS.rightsChanged } })
}
