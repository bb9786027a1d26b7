import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import type { NatsStream } from '#lib/nats/stream.ts'
import { BackOff } from '#lib/waiting/back-off.ts'
import { pause, repeatUntil } from '#lib/waiting/repeat.ts'
import type { OutboxEvent } from '#services/events/sink.ts'
import type { Broker } from './broker.ts'
import { CLOUD_EVENT_TYPE, envelopeOf, readEnvelope } from './envelope.ts'
import type { FanOut } from './fan-out.ts'
import { subjectOf } from './subjects.ts'

/** Name of the durable consumer that all processes of the service share. */
const DURABLE = 'groundwork'
/** Messages that one process has at once. */
const MESSAGES = 16
/** Milliseconds between looks whether it is connected, where nobody receives. */
const CONNECTION_INTERVAL_MS = 2000
/** Milliseconds before the broker is tried again; doubled each time. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 10_000

interface NatsBrokerOptions {
  readonly stream: NatsStream
  readonly fanOut: FanOut
  readonly db: Database
  readonly log: Log
  /** URL of the service. */
  readonly source: string
  /** Called for each event that has come. */
  received?(): void
}

/**
 * NATS JetStream: a stream that other services read as they like, and this one by a durable consumer, which puts each
 * message into the queues of those who hear of it, and acknowledges it then.
 */
export class NatsBroker implements Broker {
  readonly isUsed = true
  readonly #options: NatsBrokerOptions
  readonly #stop = new AbortController()
  readonly #retries = new BackOff(FIRST_RETRY_MS, LAST_RETRY_MS)
  #running: Promise<void> | undefined

  constructor(options: NatsBrokerOptions) {
    this.#options = options
  }

  publish(_db: Database, events: readonly OutboxEvent[]): Promise<readonly string[]> {
    const { stream, source } = this.#options
    const messages = events.map((event) => {
      const envelope = envelopeOf(event, source)
      return {
        id: event.id,
        subject: subjectOf(envelope),
        contentType: CLOUD_EVENT_TYPE,
        body: JSON.stringify(envelope),
      }
    })
    return stream.publish(messages)
  }

  start(): void {
    this.#running ??= this.#options.fanOut.hasConsumers ? this.#receive() : this.#stayConnected()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#options.stream.close()
    await this.#running
  }

  /** So that the metrics tell of a broker that is away before there is an event for it. */
  async #stayConnected(): Promise<void> {
    const warn = warnOfTrouble(this.#options.log, 'the broker is away; events wait for it')
    const connect = () => this.#options.stream.connect().catch(warn)
    await connect()
    await repeatUntil(this.#stop.signal, CONNECTION_INTERVAL_MS, async () => {
      await connect()
      return false
    })
  }

  async #receive(): Promise<void> {
    const { signal } = this.#stop
    const { stream, fanOut, db, log, received } = this.#options
    const warn = warnOfTrouble(log, 'could not receive events from the broker; they wait')
    const leaveOut = warnOfTrouble(log, 'a message of the broker is left out')
    const receiveSome = async () => {
      await stream.fetch(DURABLE, MESSAGES, async (message) => {
        const event = readEnvelope(message.string())
        // It would come again for ever, and hold up all that comes after it.
        if (event === undefined) return leaveOut(new Error('it is not an event of this service'))
        await db.transaction((tx) => fanOut.deliver(tx, event))
        received?.()
      })
      return 0
    }
    const failed = (error: unknown) => {
      if (!signal.aborted) warn(error)
    }
    while (!signal.aborted) await pause(await this.#retries.attempt(receiveSome, failed), signal)
  }
}
