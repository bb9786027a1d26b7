import pLimit from 'p-limit'
import type { Context, Log } from '#lib/context.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { principalId } from '#services/authentication/principal.ts'
import type { ChannelListener } from '#services/sessions/identity/channel.ts'
import { type ChannelList, orgOf } from './channel-list.ts'
import type { Listener } from './define-channel.ts'
import type { Message } from './message.ts'
import type { Peer } from './peer.ts'
import { ENDINGS } from './protocol.ts'
import type { Registry } from './registry.ts'
import { removalIn } from './removal.ts'
import type { Subscription } from './subscription.ts'

/** Peers who are checked at the same time; what is not known of them is read together. */
const MAX_CHECKS = 1000
/** Milliseconds for which a check says enough, where changes are not heard of. */
const CHECKED_MS = 1000

/** Knows who somebody is at this moment. */
export interface Callers {
  /** Whether every change that is older than a second has been heard of. */
  isInformed(): boolean
  /** Whether it is known here and now that a listener is who it was. */
  isKnown(listener: Listener): boolean
  /** Returns the listener as it is now, wherever that is known; undefined for one whose session or key has ended. */
  load(listener: Listener): Promise<Listener | undefined>
  /** Whether a user is a member of an organization now. */
  isMember(org: string, user: string): Promise<boolean>
}

interface RightsOptions<Ctx extends Context> {
  readonly ctx: Ctx
  readonly log: Log
  readonly channels: ChannelList<Ctx>
  readonly callers: Callers
  readonly registry: Registry
  /** Is told of a subscription that is not allowed any more. */
  denied(peer: Peer, subscription: Subscription): void
}

/**
 * Whether listeners may still hear what they hear. It is told of changes, and then ends subscriptions and connections at
 * once; what it was not told of, it finds within a second. A client that has lost one connects again, so that nothing
 * of a connection is older than its rights.
 */
export class Rights<Ctx extends Context> implements ChannelListener {
  readonly #options: RightsOptions<Ctx>
  readonly #checks = pLimit(MAX_CHECKS)
  /** Peers of whom a change was heard, and who were not checked since. */
  readonly #doubted = new Set<Peer>()
  readonly #warn: (error: unknown) => void

  constructor(options: RightsOptions<Ctx>) {
    this.#options = options
    this.#warn = warnOfTrouble(options.log, 'could not check the rights of listeners; they are checked again')
  }

  /** Whether a peer may listen to a channel now. */
  async isAllowed({ listener }: Peer, name: string): Promise<boolean> {
    const { ctx, channels } = this.#options
    const found = channels.find(name)
    if (listener === undefined || found === undefined) return false
    return found.channel.authorize(ctx, listener, found.params)
  }

  /** Checks a peer again unless nothing can have changed unheard; to be called once a second. */
  tick(peer: Peer): void {
    if (peer.listener && !peer.isEnded && !this.#options.callers.isKnown(peer.listener))
      void this.recheck(peer)
  }

  /** Whether nothing can have changed a second ago that is not taken into account; if not, `confirm` says more. */
  get isCertain(): boolean {
    return this.#doubted.size === 0 && this.#options.callers.isInformed()
  }

  /**
   * Checks those of whom a change was heard, and where changes are not heard of, those who were not checked in the last
   * second. Returns those of whom it could not be found out who they are and what they may hear.
   */
  async confirm(peers: readonly Peer[]): Promise<readonly Peer[]> {
    const since = this.#options.callers.isInformed() ? 0 : performance.now() - CHECKED_MS
    const isOpen = (peer: Peer) => peer.checkedAt < since || this.#doubted.has(peer)
    const open = [...new Set(peers)].filter(isOpen)
    await Promise.all(open.map((peer) => peer.check ?? this.recheck(peer)))
    return open.filter((peer) => isOpen(peer) && !peer.isEnded)
  }

  forgetSession(id: string): void {
    for (const peer of this.#options.registry.peers)
      if (peer.listener?.kind === 'user' && peer.listener.sessionId === id) this.#doubt(peer)
  }

  forgetUser(id: string): void {
    for (const peer of this.#options.registry.ofCaller(id)) this.#doubt(peer)
  }

  forgetMember(org: string, user: string): void {
    for (const peer of this.#options.registry.ofCaller(user)) {
      peer.changedMemberships = new Set(peer.changedMemberships).add(org)
      this.#doubt(peer)
    }
  }

  forgetOrganization(org: string): void {
    for (const peer of this.#options.registry.peers) {
      const isKey = peer.listener?.kind === 'api_key' && peer.listener.key.org === org
      const listens = () => [...peer.subscriptions.values()].some(({ found }) => orgOf(found.params) === org)
      if (isKey || listens()) this.#doubt(peer)
    }
  }

  forgetApiKey(_org: string, id: string): void {
    for (const peer of this.#options.registry.ofCaller(`api_key:${id}`)) this.#doubt(peer)
  }

  forgetAll(): void {
    for (const peer of this.#options.registry.peers) this.#doubt(peer)
  }

  /**
   * Has all connections of a removed member begin again, also those that listen to nothing of the organization, which only
   * this tells of where changes are not heard of.
   */
  heard(message: Message): void {
    const removal = removalIn(message)
    if (removal === undefined) return
    for (const peer of this.#options.registry.ofCaller(removal.user)) {
      // Those that came later have the rights of now: they would only lose time.
      if (peer.since <= removal.at) void this.#beginAgain(peer)
    }
  }

  /** Forgets a peer that has left. */
  left(peer: Peer): void {
    this.#doubted.delete(peer)
  }

  #doubt(peer: Peer): void {
    if (peer.listener === undefined || peer.isEnded) return
    this.#doubted.add(peer)
    void this.recheck(peer)
  }

  /** Checks again who a peer is and what it may hear. A change while that is done has it done again. */
  async recheck(peer: Peer): Promise<void> {
    if (peer.listener === undefined || peer.isEnded) return
    peer.isDoubted = true
    peer.check ??= this.#checks(async () => {
      while (peer.isDoubted && !peer.isEnded) {
        peer.isDoubted = false
        if ((await this.#verify(peer)) && !peer.isDoubted) this.#doubted.delete(peer)
      }
      peer.check = undefined
    })
    await peer.check
  }

  /** Ends a connection after the client was told what it may not hear any more. */
  async #beginAgain(peer: Peer): Promise<void> {
    await this.recheck(peer)
    peer.end(ENDINGS.rightsChanged)
  }

  /** Returns false when it could not be found out. */
  async #verify(peer: Peer): Promise<boolean> {
    const { listener } = peer
    if (listener === undefined || peer.isEnded) return true
    const begun = performance.now()
    try {
      const current = await this.#options.callers.load(listener)
      // It has sent another token meanwhile, perhaps of another session.
      if (peer.listener !== listener) {
        peer.isDoubted = true
        return false
      }
      if (current === undefined || principalId(current) !== principalId(listener)) {
        peer.end(ENDINGS.sessionEnded)
        return true
      }
      peer.listener = current
      const [hasLost, isOut] = [await this.#denyLost(peer), await this.#isOut(peer)]
      if (hasLost || isOut) peer.end(ENDINGS.rightsChanged)
      peer.checkedAt = begun
      return true
    } catch (error) {
      // Whatever is wrong with one listener is nothing to the others; the next tick tries again.
      this.#warn(error)
      return false
    }
  }

  /** Whether a membership of a peer was heard to change, and has ended. */
  async #isOut(peer: Peer): Promise<boolean> {
    const { listener, changedMemberships = [] } = peer
    // What changes from now on is looked at the next time.
    peer.changedMemberships = undefined
    try {
      for (const org of changedMemberships)
        if (listener?.kind === 'user' && !(await this.#options.callers.isMember(org, listener.user.id)))
          return true
      return false
    } catch (error) {
      peer.changedMemberships = new Set([...changedMemberships, ...(peer.changedMemberships ?? [])])
      throw error
    }
  }

  /** Ends the subscriptions that a peer may not have any more; returns whether it heard one of them. */
  async #denyLost(peer: Peer): Promise<boolean> {
    let hasLost = false
    for (const subscription of [...peer.subscriptions.values()]) {
      if (await this.isAllowed(peer, subscription.name)) continue
      if (peer.subscriptions.get(subscription.name) !== subscription) continue
      hasLost ||= subscription.isOpen
      this.#options.denied(peer, subscription)
    }
    return hasLost
  }
}
