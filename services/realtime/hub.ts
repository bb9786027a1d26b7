import type { Context, Log } from '#lib/context.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { principalId } from '#services/authentication/principal.ts'
import { type ChannelList, orgOf } from './channel-list.ts'
import type { Listener } from './define-channel.ts'
import { type Beginning, beginAt, type Page, pageOf, type Range } from './history.ts'
import type { Message } from './message.ts'
import { Parcel } from './parcel.ts'
import type { Peer, Transport } from './peer.ts'
import type { Attendance } from './presence/attendance.ts'
import { type Ending, isReturning, REFUSALS, type Refusal, type Returning, UNSUBSCRIBES } from './protocol.ts'
import type { Reader } from './reader.ts'
import { Registry } from './registry.ts'
import { type Callers, Rights } from './rights.ts'
import { openStore } from './store.ts'
import { Subscription } from './subscription.ts'

/** How often `tick` is to be called: in each turn 250 of 10 000 connections are looked after, for less than a millisecond. */
export const TICKS_PER_SECOND = 40

export interface HubLimits {
  /** Channels of one connection. */
  readonly channels: number
  /** Connections of one user, in this process. */
  readonly perUser: number
  /** Subscriptions to channels of one organization, in this process. */
  readonly perOrganization: number
  /** Messages that are told again to who returns. */
  readonly historySize: number
  /** Bytes of these: more would end a client that reads slowly, again and again. */
  readonly historyBytes: number
}

/** Is told what happens, for metrics. */
export interface HubObserver {
  ended(transport: Transport, why: Ending): void
  delivered(messages: number): void
  recovered(outcome: 'recovered' | 'reload'): void
}

interface HubOptions<Ctx extends Context> {
  /** Is called when somebody comes, who is to be looked after. */
  readonly awake?: () => void
  readonly ctx: Ctx
  readonly log: Log
  readonly channels: ChannelList<Ctx>
  readonly reader: Pick<Reader, 'start'>
  readonly attendance: Attendance
  readonly limits: HubLimits
  readonly callers: Callers
  readonly observer: HubObserver
}

/** The part of it that peers use. */
export type PeerHub = Pick<
  Hub,
  'attach' | 'detach' | 'identify' | 'ownOf' | 'subscribe' | 'unsubscribe' | 'history' | 'presence' | 'rights'
>

/** Is called in the moment from which messages are passed on, with those that came meanwhile. */
type Opened = (beginning: Beginning, fresh: readonly Message[]) => void

/** Everybody who listens at this instance, and to what. */
export class Hub<Ctx extends Context = Context> {
  readonly #options: HubOptions<Ctx>
  readonly #db: SystemDatabase
  readonly #registry = new Registry()
  /** Is to be told of changes of rights. */
  readonly rights: Pick<Rights<Ctx>, keyof Rights<Ctx>>
  /** Connections by the part of each second in which they are looked after. */
  readonly #turns = Array.from({ length: TICKS_PER_SECOND }, () => new Set<Peer>())
  #attached = 0
  #turn = 0
  readonly #warn: (error: unknown) => void

  constructor(options: HubOptions<Ctx>) {
    this.#options = options
    this.#db = openStore(options.ctx.db)
    this.#warn = warnOfTrouble(options.log, 'could not answer a listener in realtime')
    const { ctx, log, channels, callers } = options
    this.rights = new Rights({
      ...{ ctx, log, channels, callers, registry: this.#registry },
      denied: (peer, subscription) => this.#drop(peer, subscription, UNSUBSCRIBES.denied),
    })
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
    peer.turn = this.#attached++ % TICKS_PER_SECOND
    this.#turns[peer.turn]?.add(peer)
    this.#registry.add(peer)
    this.#options.awake?.()
  }

  /** Notes who a peer is; false when that caller has too many connections. */
  identify(peer: Peer, listener: Listener): boolean {
    if (this.#registry.ofCaller(principalId(listener)).size >= this.#options.limits.perUser) return false
    this.#registry.identify(peer, listener)
    return true
  }

  /** Forgets a connection that has ended. */
  detach(peer: Peer, why: Ending): void {
    for (const subscription of peer.subscriptions.values()) this.#leave(peer, subscription, isReturning(why))
    this.#turns[peer.turn]?.delete(peer)
    this.rights.left(peer)
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
    const subscription = new Subscription(name, found, { hearsNotices: returning.join_leave === true })
    // Before anything is asked, so that no change of rights and no message is missed after it.
    this.#registry.subscribe(peer, subscription)
    const isCurrent = () => peer.subscriptions.get(name) === subscription
    const refuse = (refusal: Refusal) => {
      if (isCurrent()) this.#registry.unsubscribe(peer, subscription)
      return refusal
    }
    try {
      if (!(await this.#isCertain(peer))) return refuse(REFUSALS.internal)
      if (!(await this.rights.isAllowed(peer, name))) return refuse(REFUSALS.denied)
      if (!isCurrent()) return interrupted(subscription)
      this.#registry.count(subscription)
      const org = orgOf(found.params)
      if (org !== null && this.#registry.countOf(org) > limits.perOrganization) return refuse(REFUSALS.limit)
      await reader.start()
      const { historySize: size, historyBytes: bytes } = limits
      const beginning = await beginAt(this.#db, { name, org }, returning, { size, bytes })
      if (!isCurrent()) return interrupted(subscription)
      const fresh = subscription.begin(beginning.offset)
      if (fresh === undefined) return refuse(REFUSALS.internal)
      if (returning.recover) observer.recovered(beginning.recovered ? 'recovered' : 'reload')
      this.#join(peer, subscription)
      opened(beginning, fresh)
      return undefined
    } catch (error) {
      this.#warn(error)
      return refuse(REFUSALS.internal)
    }
  }

  unsubscribe(peer: Peer, name: string): void {
    const subscription = peer.subscriptions.get(name)
    if (subscription === undefined) return
    this.#leave(peer, subscription, false)
    this.#registry.unsubscribe(peer, subscription)
  }

  /** Returns a part of what a channel has told, to a peer that listens to it. */
  async history(peer: Peer, name: string, range: Range): Promise<Page | Refusal> {
    try {
      if (!(await this.#isCertain(peer))) return REFUSALS.internal
      if (peer.subscriptions.get(name)?.isOpen !== true) return REFUSALS.denied
      const page = await pageOf(this.#db, name, range, this.#options.limits.historySize)
      return page ?? REFUSALS.unrecoverable
    } catch (error) {
      this.#warn(error)
      return REFUSALS.internal
    }
  }

  /** Returns who else listens to a channel, or how many, to a peer that does. */
  async presence<T>(
    peer: Peer,
    name: string,
    ask: (attendance: Attendance) => Promise<T>,
  ): Promise<T | Refusal> {
    try {
      if (!(await this.#isCertain(peer))) return REFUSALS.internal
      const subscription = peer.subscriptions.get(name)
      if (!subscription?.isOpen) return REFUSALS.denied
      if (!subscription.found.channel.hasPresence) return REFUSALS.unavailable
      return await ask(this.#options.attendance)
    } catch (error) {
      this.#warn(error)
      return REFUSALS.internal
    }
  }

  /** Names of the channels that a peer gets without asking. */
  ownOf(listener: Listener): string[] {
    return listener.kind === 'user' ? this.#options.channels.ownOf(listener.user.id) : []
  }

  /**
   * Passes on what was published; what comes together of a channel goes out together. Whose rights have changed, or may have,
   * as after the process was stopped for a while, is asked for first.
   */
  async deliver(messages: readonly Message[]): Promise<void> {
    const byChannel = Map.groupBy(messages, (message) => message.channel)
    if (!this.rights.isCertain) {
      const listeners = [...byChannel.keys()].flatMap((name) => [...this.#registry.ofChannel(name).values()])
      for (const unsure of await this.rights.confirm(listeners)) this.#doubt(unsure, byChannel)
    }
    let delivered = 0
    for (const [channel, ofChannel] of byChannel) {
      const all = new Parcel(ofChannel)
      for (const [subscription, peer] of this.#registry.ofChannel(channel)) {
        const { fresh, isGap } = subscription.takeAll(all)
        if (fresh) {
          delivered += fresh.told
          peer.pushAll(fresh)
        }
        if (isGap) this.#drop(peer, subscription, UNSUBSCRIBES.lost)
      }
    }
    if (delivered > 0) this.#options.observer.delivered(delivered)
    for (const message of messages) this.rights.heard(message)
  }

  /** Has everybody begin again, because nobody knows what was missed. */
  lost(): void {
    for (const name of this.#registry.channels) {
      for (const [subscription, peer] of [...this.#registry.ofChannel(name)])
        this.#drop(peer, subscription, UNSUBSCRIBES.lost)
    }
  }

  /** Looks after a part of the connections, each of them once a second. */
  tick(now: number): void {
    this.#turn = (this.#turn + 1) % TICKS_PER_SECOND
    for (const peer of this.#turns[this.#turn] ?? []) {
      peer.tick(now)
      this.rights.tick(peer)
    }
  }

  /** Whether it is known of the last second who somebody is. */
  async #isCertain(peer: Peer): Promise<boolean> {
    const unsure = this.rights.isCertain ? [] : await this.rights.confirm([peer])
    return unsure.length === 0 && !peer.isEnded
  }

  /** Has somebody whose rights are not known begin again, who then is asked for. */
  #doubt(peer: Peer, channels: ReadonlyMap<string, unknown>): void {
    for (const subscription of [...peer.subscriptions.values()])
      if (channels.has(subscription.name)) this.#drop(peer, subscription, UNSUBSCRIBES.lost)
  }

  #join({ id, listener }: Peer, { name, found }: Subscription): void {
    if (listener === undefined || !found.channel.hasPresence) return
    const caller = principalId(listener)
    this.#options.attendance.join({ org: orgOf(found.params), channel: name, client: id, caller })
  }

  #leave({ id }: Peer, { name, found }: Subscription, mayReturn: boolean): void {
    if (found.channel.hasPresence) this.#options.attendance.leave(name, id, mayReturn)
  }

  #drop(peer: Peer, subscription: Subscription, why: Ending): void {
    this.#leave(peer, subscription, why === UNSUBSCRIBES.lost)
    this.#registry.unsubscribe(peer, subscription)
    subscription.ending = why
    if (subscription.isOpen) peer.dropped(subscription, why)
  }
}

/** Why a subscription that was not open yet is refused: what has ended it may be over when the client asks again. */
function interrupted({ ending }: Subscription): Refusal {
  return ending === UNSUBSCRIBES.denied ? REFUSALS.denied : REFUSALS.internal
}
