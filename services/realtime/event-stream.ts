import { crc32 } from 'node:zlib'
import type { Connection } from './connection.ts'
import type { PeerHub } from './hub.ts'
import type { Message } from './message.ts'
import type { Parcel } from './parcel.ts'
import { Peer } from './peer.ts'
import { ENDINGS, type Ending, REFUSALS, type Refusal, UNSUBSCRIBES } from './protocol.ts'
import type { Subscription } from './subscription.ts'

/** Milliseconds between two signs of life. */
const COMMENT_INTERVAL_MS = 15_000
/** Milliseconds after which a stream ends, so that no proxy keeps a dead one. The client comes back with its place. */
const LONGEST_MS = 600_000
/** Milliseconds that a client waits before it comes back. */
const RETRY_MS = 1000
/** `Last-Event-ID`: an epoch, the offset in each channel, and a checksum of which channels these are. */
const PLACE = /^([0-9a-f-]{36})((?:\.\d{1,15})+)~([0-9a-f]+)$/

interface EventStreamOptions {
  readonly hub: PeerHub
  readonly connection: Connection
  readonly channels: readonly string[]
  /** `Last-Event-ID`, if the client was here before. */
  readonly lastEventId: string | undefined
  /** Milliseconds after which the token is not valid any more. */
  readonly lifetimeMs: number
  /** Bytes that may wait for the client. */
  readonly maxWaiting: number
  readonly now: () => number
}

/** A stream of server-sent events about some channels, which tells a client that returns what it missed. */
export class EventStream extends Peer {
  readonly transport = 'sse'
  readonly #options: EventStreamOptions
  readonly #offsets: number[]
  readonly #endsAt: number
  readonly #checksum: string
  #epoch = ''
  #commentAt: number
  /** Messages that came before the stream began, with the channel's number. */
  #early: [number, Pick<Message, 'offset' | 'data'>][] | undefined = []

  constructor(options: EventStreamOptions) {
    super(options.hub, options.connection)
    const { channels, lifetimeMs, now } = options
    this.#options = options
    this.#offsets = channels.map(() => 0)
    this.#checksum = checksumOf(channels)
    this.#endsAt = now() + Math.min(LONGEST_MS, lifetimeMs)
    this.#commentAt = now() + COMMENT_INTERVAL_MS
  }

  /** Subscribes to the channels. Returns why one is refused, if it is: then nothing was sent. */
  async open(): Promise<Refusal | undefined> {
    const { hub, channels, lastEventId } = this.#options
    const places = placesOf(lastEventId, channels)
    const reloaded: string[] = []
    for (const [index, channel] of channels.entries()) {
      const offset = places?.offsets[index] ?? 0
      const returning = places ? { recover: true, offset, epoch: places.epoch } : {}
      const refusal = await hub.subscribe(
        this,
        channel,
        returning,
        ({ epoch, recovered, missed, ...begun }, fresh) => {
          this.#epoch = epoch
          this.#offsets[index] = recovered ? offset : begun.offset
          if (lastEventId !== undefined && !recovered) reloaded.push(channel)
          for (const message of [...missed, ...fresh]) this.#tell(index, message)
        },
      )
      if (refusal) return refusal
      if (this.isEnded) return REFUSALS.internal
    }
    return this.#begin(reloaded)
  }

  pushAll({ messages }: Parcel): void {
    for (const message of messages) this.#tell(this.#options.channels.indexOf(message.channel), message)
  }

  dropped({ name }: Subscription, why: Ending): void {
    // The client comes back with its place, and is told then what it missed, or what it may not have any more.
    this.end(
      why === UNSUBSCRIBES.lost ? ENDINGS.insufficientState : { ...why, reason: `${why.reason}: ${name}` },
    )
  }

  tick(now: number): void {
    if (now > this.#endsAt) this.end(ENDINGS.expired)
    else if (now > this.#commentAt && this.#early === undefined) this.#send(': still here\n\n')
  }

  #begin(reloaded: readonly string[]): undefined {
    const early = this.#early ?? []
    this.#early = undefined
    this.#send(
      `retry: ${RETRY_MS}\n${this.#event('ready', { channels: this.#options.channels, reload: reloaded })}`,
    )
    for (const [index, message] of early) this.#tell(index, message)
  }

  #tell(index: number, message: Pick<Message, 'offset' | 'data'>): void {
    if (this.#early) {
      this.#early.push([index, message])
      return
    }
    this.#offsets[index] = message.offset
    const channel = JSON.stringify(this.#options.channels[index])
    this.#send(`id: ${this.#place()}\ndata: {"channel":${channel},"data":${message.data}}\n\n`)
  }

  #event(name: string, data: object): string {
    return `event: ${name}\nid: ${this.#place()}\ndata: ${JSON.stringify(data)}\n\n`
  }

  #place(): string {
    return `${[this.#epoch, ...this.#offsets].join('.')}~${this.#checksum}`
  }

  #send(text: string): void {
    if (this.isEnded) return
    const { connection } = this
    const { maxWaiting, now } = this.#options
    this.#commentAt = now() + COMMENT_INTERVAL_MS
    connection.send(text)
    if (connection.waiting > maxWaiting) this.end(ENDINGS.slow)
  }
}

/** Reads where a client was; undefined for what is not of these channels. */
function placesOf(lastEventId: string | undefined, channels: readonly string[]) {
  const [, epoch = '', rest = '', checksum] = PLACE.exec(lastEventId ?? '') ?? []
  const offsets = rest.split('.').slice(1).map(Number)
  const isOfThese = offsets.length === channels.length && checksum === checksumOf(channels)
  return isOfThese ? { epoch, offsets } : undefined
}

/** Keeps a client that returns with other channels from being told what it missed of these. */
function checksumOf(channels: readonly string[]): string {
  return crc32(channels.join()).toString(16)
}
