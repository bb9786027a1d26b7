import { randomUUID } from 'node:crypto'
import type { Connection } from './connection.ts'
import type { Listener } from './define-channel.ts'
import type { Parcel } from './parcel.ts'
import { type Ending, LEFT } from './protocol.ts'
import type { Subscription } from './subscription.ts'

/** The kinds of connections. */
export type Transport = 'websocket' | 'sse'

/** Knows all peers of an instance. */
interface PeerKeeper {
  attach(peer: Peer): void
  detach(peer: Peer, why: Ending): void
}

/** Somebody who listens, by whatever connection. */
export abstract class Peer {
  abstract readonly transport: Transport
  /** Names it in what others are told of who is there. */
  readonly id = randomUUID()
  /** By the channel's name. */
  readonly subscriptions = new Map<string, Subscription>()
  /** When it came, in milliseconds since 1970. */
  readonly since = Date.now()
  /** Who it is; undefined until that is known. */
  listener: Listener | undefined
  /** In which part of each second it is looked after. */
  turn = 0
  /** The check under way of who it is now and what it may hear. */
  check: Promise<void> | undefined
  /** Whether something has changed since that began. */
  isDoubted = false
  /** Organizations in which the membership has changed since. */
  changedMemberships: ReadonlySet<string> | undefined
  /** When the last check began, by `performance.now()`. */
  checkedAt = performance.now()
  /** Whether the connection has ended, or is ending. */
  isEnded = false
  protected readonly connection: Connection
  readonly #keeper: PeerKeeper

  constructor(keeper: PeerKeeper, connection: Connection) {
    this.connection = connection
    this.#keeper = keeper
    keeper.attach(this)
  }

  /** Sends messages of a channel that came together. */
  abstract pushAll(parcel: Parcel): void
  /** Tells of a subscription that the service has ended. */
  abstract dropped(subscription: Subscription, why: Ending): void
  /**
   * Is called once a second.
   *
   * @param now milliseconds by `performance.now()`
   */
  abstract tick(now: number): void

  /** Ends the connection. */
  end(why: Ending): void {
    if (this.isEnded) return
    this.isEnded = true
    this.connection.close(why)
    this.#keeper.detach(this, why)
  }

  /** The client has left. */
  left(): void {
    this.isEnded = true
    this.#keeper.detach(this, LEFT)
  }
}
