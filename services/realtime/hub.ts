import pLimit from 'p-limit'
import type { Context, Log } from '#lib/context.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import type { ChannelListener } from '#services/sessions/identity/channel.ts'
import type { Identity } from '#services/sessions/identity/identities.ts'
import { type ChannelList, orgOf } from './channel-list.ts'
import type { Listener } from './define-channel.ts'
import { type Beginning, beginAt, type Page, pageOf, type Range } from './history.ts'
import type { Message } from './message.ts'
import type { Peer, Transport } from './peer.ts'
import { ENDINGS, type Ending, REFUSALS, type Refusal, type Returning, UNSUBSCRIBES } from './protocol.ts'
import type { Reader } from './reader.ts'
import { Registry } from './registry.ts'
import { openStore } from './store.ts'
import { Subscription } from './subscription.ts'

/** Peers whose identity is read at the same time. */
const MAX_CHECKS = 16

export interface HubLimits {
  /** Channels of one connection. */
  readonly channels: number
  /** Connections of one user, in this process. */
  readonly perUser: number
  /** Subscriptions to channels of one organization, in this process. */
  readonly perOrganization: number
  /** Messages that are told again to who returns. */
  readonly historySize: number
}

/** Is told what happens, for metrics. */
export interface HubObserver {
  ended(transport: Transport, why: Ending): void
  delivered(messages: number): void
  recovered(outcome: 'recovered' | 'reload'): void
}

interface HubOptions<Ctx extends Context> {
  readonly ctx: Ctx
  readonly log: Log
  readonly channels: ChannelList<Ctx>
  readonly reader: Pick<Reader, 'start'>
  readonly limits: HubLimits
  /** Returns who a session speaks for if that is known here and now. */
  readonly look: (session: string) => Identity | undefined
  /** The same, wherever it is known; undefined when the session has ended. */
  readonly load: (session: string) => Promise<Identity | undefined>
  readonly observer: HubObserver
}

/** The part of it that peers use. */
export type PeerHub = Pick<
  Hub,
  'attach' | 'detach' | 'identify' | 'ownOf' | 'subscribe' | 'unsubscribe' | 'history' | 'recheck'
>

/** Is called in the moment from which messages are passed on, with those that came meanwhile. */
type Opened = (beginning: Beginning, fresh: readonly Message[]) => void

/**
 * Everybody who listens at this instance, and to what. What it is told of changes of rights ends subscriptions and
 * connections at once; what it was not told of, it finds within a second.
 */
export class Hub<Ctx extends Context = Context> implements ChannelListener {
  readonly #options: HubOptions<Ctx>
  readonly #db: SystemDatabase
  readonly #registry = new Registry()
  readonly #checks = pLimit(MAX_CHECKS)
  readonly #warn: (error: unknown) => void

  constructor(options: HubOptions<Ctx>) {
    this.#options = options
    this.#db = openStore(options.ctx.db)
    this.#warn = warnOfTrouble(options.log, 'could not check the rights of listeners; they are checked again')
  }

  get peers(): ReadonlySet<Peer> {
    return this.#registry.peers
  }

  /** How many subscriptions there are. */
  get subscriptions(): number {
    return this.#registry.subscriptions
  }

  /** Takes in a connection, whose sender is not known yet. */
  attach(peer: Peer): void {
    this.#registry.add(peer)
  }

  /** Notes who a peer is; false when that user has too many connections. */
  identify(peer: Peer, listener: Listener): boolean {
    if (this.#registry.ofUser(listener.user.id).size >= this.#options.limits.perUser) return false
    this.#registry.identify(peer, listener)
    return true
  }

  /** Forgets a connection that has ended. */
  detach(peer: Peer, why: Ending): void {
    if (this.#registry.remove(peer)) this.#options.observer.ended(peer.transport, why)
  }

  /** Subscribes a peer to a channel. Returns why it is refused, if it is. */
  async subscribe(
    peer: Peer,
    name: string,
    returning: Returning,
    opened: Opened,
  ): Promise<Refusal | undefined> {
    const { channels, limits, observer, reader } = this.#options
    if (peer.subscriptions.has(name)) return REFUSALS.subscribed
    if (peer.subscriptions.size >= limits.channels) return REFUSALS.limit
    const found = channels.find(name)
    if (found === undefined) return REFUSALS.denied
    const subscription = new Subscription(name, found)
    // Before anything is asked, so that no change of rights and no message is missed after it.
    this.#registry.subscribe(peer, subscription)
    const isCurrent = () => peer.subscriptions.get(name) === subscription
    const refuse = (refusal: Refusal) => {
      if (isCurrent()) this.#registry.unsubscribe(peer, subscription)
      return refusal
    }
    try {
      if (!(await this.#isAllowed(peer, name))) return refuse(REFUSALS.denied)
      const org = orgOf(found.params)
      if (org !== null && this.#registry.countOf(org) > limits.perOrganization) return refuse(REFUSALS.limit)
      await reader.start()
      const beginning = await beginAt(this.#db, { name, org }, returning, limits.historySize)
      if (!isCurrent()) return REFUSALS.denied
      const fresh = subscription.begin(beginning.offset)
      if (fresh === undefined) return refuse(REFUSALS.internal)
      if (returning.recover) observer.recovered(beginning.recovered ? 'recovered' : 'reload')
      opened(beginning, fresh)
      return undefined
    } catch (error) {
      this.#warn(error)
      return refuse(REFUSALS.internal)
    }
  }

  unsubscribe(peer: Peer, name: string): void {
    const subscription = peer.subscriptions.get(name)
    if (subscription) this.#registry.unsubscribe(peer, subscription)
  }

  /** Returns a part of what a channel has told, to a peer that listens to it. */
  async history(peer: Peer, name: string, range: Range): Promise<Page | Refusal> {
    const subscription = peer.subscriptions.get(name)
    if (!subscription?.isOpen) return REFUSALS.denied
    try {
      const page = await pageOf(this.#db, name, range, this.#options.limits.historySize)
      return page ?? REFUSALS.unrecoverable
    } catch (error) {
      this.#warn(error)
      return REFUSALS.internal
    }
  }

  /** Names of the channels that a peer gets without asking. */
  ownOf({ user }: Listener): string[] {
    return this.#options.channels.ownOf(user.id)
  }

  deliver(messages: readonly Message[]): void {
    let delivered = 0
    for (const message of messages) {
      for (const [subscription, peer] of this.#registry.ofChannel(message.channel)) {
        const verdict = subscription.take(message)
        if (verdict === 'gap') this.#drop(peer, subscription, UNSUBSCRIBES.lost)
        if (verdict !== 'new') continue
        delivered++
        peer.push(message)
      }
    }
    if (delivered > 0) this.#options.observer.delivered(delivered)
  }

  /** Has everybody begin again, because nobody knows what was missed. */
  lost(): void {
    for (const name of this.#registry.channels) {
      for (const [subscription, peer] of [...this.#registry.ofChannel(name)])
        this.#drop(peer, subscription, UNSUBSCRIBES.lost)
    }
  }

  /** Looks after all connections; to be called once a second. */
  tick(now: number): void {
    for (const peer of [...this.peers]) {
      peer.tick(now)
      // In memory, unless it is long ago that it was read, or nothing that is in memory is trusted.
      if (peer.listener && !peer.isEnded && !this.#options.look(peer.listener.sessionId)) this.recheck(peer)
    }
  }

  forgetSession(id: string): void {
    for (const peer of this.peers) if (peer.listener?.sessionId === id) this.recheck(peer)
  }

  forgetUser(id: string): void {
    for (const peer of this.#registry.ofUser(id)) this.recheck(peer)
  }

  forgetMember(_org: string, user: string): void {
    this.forgetUser(user)
  }

  forgetOrganization(org: string): void {
    for (const peer of this.peers) {
      const listens = [...peer.subscriptions.values()].some(({ found }) => orgOf(found.params) === org)
      if (listens) this.recheck(peer)
    }
  }

  forgetApiKey(): void {
    // Keys do not listen.
  }

  forgetAll(): void {
    for (const peer of this.peers) this.recheck(peer)
  }

  /** Checks again who a peer is and what it may hear. A change while that is done has it done again. */
  recheck(peer: Peer): void {
    if (peer.listener === undefined || peer.isEnded) return
    if (peer.isChecked) {
      peer.isDoubted = true
      return
    }
    peer.isChecked = true
    void this.#checks(async () => {
      do {
        peer.isDoubted = false
        await this.#verify(peer)
      } while (peer.isDoubted && !peer.isEnded)
      peer.isChecked = false
    })
  }

  async #verify(peer: Peer): Promise<void> {
    const { listener } = peer
    if (listener === undefined || peer.isEnded) return
    try {
      const identity = await this.#options.load(listener.sessionId)
      if (identity === undefined || identity.user.id !== listener.user.id) {
        peer.end(ENDINGS.sessionEnded)
        return
      }
      peer.listener = { ...listener, user: identity.user }
      for (const subscription of [...peer.subscriptions.values()]) {
        if (await this.#isAllowed(peer, subscription.name)) continue
        if (peer.subscriptions.get(subscription.name) === subscription)
          this.#drop(peer, subscription, UNSUBSCRIBES.denied)
      }
    } catch (error) {
      // Whatever is wrong with one listener is nothing to the others; the next tick tries again.
      this.#warn(error)
    }
  }

  async #isAllowed({ listener }: Peer, name: string): Promise<boolean> {
    const { ctx, channels } = this.#options
    const found = channels.find(name)
    if (listener === undefined || found === undefined) return false
    return found.channel.authorize(ctx, listener, found.params)
  }

  #drop(peer: Peer, subscription: Subscription, why: Ending): void {
    this.#registry.unsubscribe(peer, subscription)
    if (subscription.isOpen) peer.dropped(subscription, why)
  }
}
