import type { Listener } from './define-channel.ts'
import type { Message } from './message.ts'
import type { Ending } from './protocol.ts'
import type { Subscription } from './subscription.ts'

/** The kinds of connections. */
export type Transport = 'websocket' | 'sse'

/** Somebody who listens, by whatever connection. */
export abstract class Peer {
  abstract readonly transport: Transport
  /** By the channel's name. */
  readonly subscriptions = new Map<string, Subscription>()
  /** Who it is; undefined until that is known. */
  listener: Listener | undefined
  /** Whether it is being checked who it is now. */
  isChecked = false
  /** Whether something has changed since that began. */
  isDoubted = false
  /** Whether the connection has ended, or is ending. */
  isEnded = false

  /** Sends a message. */
  abstract push(message: Message): void
  /** Tells of a subscription that the service has ended. */
  abstract dropped(subscription: Subscription, why: Ending): void
  /** Ends the connection. */
  abstract end(why: Ending): void
  /**
   * Is called once a second.
   *
   * @param now milliseconds by `performance.now()`
   */
  abstract tick(now: number): void
}
