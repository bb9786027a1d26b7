import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JsMsg,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream'
import { headers, nanos } from '@nats-io/transport-node'
import { NatsLink, type NatsSession } from './connection.ts'

/** Milliseconds for which the server knows the ids that it has had, to ignore them. */
const DUPLICATE_WINDOW_MS = 120_000
/** Milliseconds in which a consumer acknowledges a message, or it comes again. */
const ACK_WAIT_MS = 30_000
/** Milliseconds that one look for messages takes when no message comes. */
const FETCH_MS = 5000

export interface StreamSettings {
  readonly urls: readonly string[]
  /** Name of the stream; its subjects begin with it. */
  readonly name: string
  /** Milliseconds that connecting, and an acknowledgement, may take. */
  readonly timeoutMs: number
  /** For the creation of the stream: milliseconds that it keeps messages, and servers that have each. */
  readonly maxAgeMs: number
  readonly replicas: number
  /** Is told when there was no stream, and it was created. */
  readonly created: () => void
  /** Is told of each attempt to publish; `seconds` from its beginning to its end. */
  readonly published?: (seconds: number) => void
}

/** A message, as it is published. */
export interface OutgoingMessage {
  /** By which the server knows that it has it. */
  readonly id: string
  /** Without the name of the stream. */
  readonly subject: string
  readonly contentType: string
  readonly body: string
}

/** A stream of JetStream. It is created if it is not there; one that is there stays as it is. */
export class NatsStream {
  readonly #settings: StreamSettings
  readonly #link: NatsLink
  /** By the session that it belongs to. */
  readonly #consumers = new WeakMap<NatsSession, Promise<Consumer>>()

  constructor(settings: StreamSettings) {
    this.#settings = settings
    const { urls, timeoutMs } = settings
    this.#link = new NatsLink({ urls, timeoutMs, prepare: (session) => this.#createStream(session) })
  }

  get isUp(): boolean {
    return this.#link.isUp
  }

  /**
   * Connects, if there is no connection.
   *
   * @throws what keeps it from it
   */
  async connect(): Promise<void> {
    await this.#link.session()
  }

  /**
   * Publishes messages.
   *
   * @returns ids of those that the server has acknowledged
   * @throws what kept it from taking any
   */
  async publish(messages: readonly OutgoingMessage[]): Promise<string[]> {
    const { name: streamName, timeoutMs: timeout, published } = this.#settings
    const session = await this.#link.session()
    const began = performance.now()
    const results = await Promise.allSettled(
      messages.map(async ({ id, subject, contentType, body }) => {
        const fields = headers()
        fields.set('content-type', contentType)
        const options = { msgID: id, timeout, headers: fields, expect: { streamName } }
        await session.client.publish(`${streamName}.${subject}`, body, options)
        return id
      }),
    )
    published?.((performance.now() - began) / 1000)
    const failure = results.find((result) => result.status === 'rejected')
    const ids = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    if (failure) {
      this.#link.abandon(session)
      if (ids.length === 0) throw failure.reason
    }
    return ids
  }

  /**
   * Fetches messages that a durable consumer has not acknowledged and passes on each as it comes; ends when there are as
   * many as asked for, or none for a while. A message for which `handle` rejects comes again.
   *
   * @param durable name of the consumer; it is created if it is not there, and begins with what the stream holds
   * @throws what the server refuses; the connection is opened again next time
   */
  async fetch(durable: string, count: number, handle: (message: JsMsg) => Promise<void>): Promise<void> {
    const session = await this.#link.session()
    try {
      const consumer = await this.#consumerOf(session, durable)
      const messages = await consumer.fetch({ max_messages: count, expires: FETCH_MS })
      const handled: Promise<void>[] = []
      for await (const message of messages) {
        handled.push(
          handle(message).then(
            () => message.ack(),
            (error: unknown) => {
              message.nak(1000)
              throw error
            },
          ),
        )
      }
      const results = await Promise.allSettled(handled)
      const failure = results.find((result) => result.status === 'rejected')
      if (failure) throw new HandlingFailed(failure.reason)
      if (session.connection.isClosed()) throw new Error('the connection to NATS was lost')
    } catch (error) {
      if (error instanceof HandlingFailed) throw error.cause
      this.#link.abandon(session)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  async #createStream({ manager }: NatsSession): Promise<void> {
    const { name, maxAgeMs, replicas, created } = this.#settings
    try {
      await manager.streams.info(name)
    } catch (error) {
      if (!isCode(error, JetStreamApiCodes.StreamNotFound)) throw error
      await manager.streams.add({
        name,
        subjects: [`${name}.>`],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        max_age: nanos(maxAgeMs),
        num_replicas: replicas,
        duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      })
      created()
    }
  }

  #consumerOf(session: NatsSession, durable: string): Promise<Consumer> {
    const known = this.#consumers.get(session) ?? this.#createConsumer(session, durable)
    this.#consumers.set(session, known)
    return known
  }

  async #createConsumer({ client, manager }: NatsSession, durable: string): Promise<Consumer> {
    const { name } = this.#settings
    try {
      return await client.consumers.get(name, durable)
    } catch (error) {
      if (!isCode(error, JetStreamApiCodes.ConsumerNotFound)) throw error
      await manager.consumers.add(name, {
        durable_name: durable,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ack_wait: nanos(ACK_WAIT_MS),
      })
      return await client.consumers.get(name, durable)
    }
  }
}

/** Handling failed, and not the server. */
class HandlingFailed extends Error {
  constructor(cause: unknown) {
    super('a message could not be handled', { cause })
    this.name = 'HandlingFailed'
  }
}

function isCode(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code
}
