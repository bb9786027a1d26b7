import { principalId } from '#services/authentication/principal.ts'
import { orgOf } from './channel-list.ts'
import type { Listener } from './define-channel.ts'
import type { Peer } from './peer.ts'
import type { Subscription } from './subscription.ts'

/** Who is connected to this instance, and who listens to what. */
export class Registry {
  readonly #peers = new Set<Peer>()
  readonly #byCaller = new Map<string, Set<Peer>>()
  readonly #byChannel = new Map<string, Map<Subscription, Peer>>()
  readonly #byOrganization = new Map<string, number>()

  get peers(): ReadonlySet<Peer> {
    return this.#peers
  }

  /** Names of the channels that somebody listens to. */
  get channels(): string[] {
    return [...this.#byChannel.keys()]
  }

  /** How many subscriptions there are. */
  get subscriptions(): number {
    let sum = 0
    for (const { subscriptions } of this.#peers) sum += subscriptions.size
    return sum
  }

  add(peer: Peer): void {
    this.#peers.add(peer)
  }

  /** Notes who a peer is. */
  identify(peer: Peer, listener: Listener): void {
    const id = principalId(listener)
    peer.listener = listener
    const others = this.#byCaller.get(id) ?? new Set()
    this.#byCaller.set(id, others.add(peer))
  }

  /** Forgets a peer and its subscriptions; false when it is not known. */
  remove(peer: Peer): boolean {
    if (!this.#peers.delete(peer)) return false
    for (const subscription of [...peer.subscriptions.values()]) this.unsubscribe(peer, subscription)
    if (peer.listener === undefined) return true
    const id = principalId(peer.listener)
    const others = this.#byCaller.get(id)
    others?.delete(peer)
    if (others?.size === 0) this.#byCaller.delete(id)
    return true
  }

  subscribe(peer: Peer, subscription: Subscription): void {
    const { name } = subscription
    peer.subscriptions.set(name, subscription)
    const others = this.#byChannel.get(name) ?? new Map()
    this.#byChannel.set(name, others.set(subscription, peer))
  }

  /** Counts a subscription that is allowed for its organization: those of strangers take nobody's place. */
  count(subscription: Subscription): void {
    const org = orgOf(subscription.found.params)
    if (org === null || subscription.isCounted) return
    subscription.isCounted = true
    this.#byOrganization.set(org, this.countOf(org) + 1)
  }

  unsubscribe(peer: Peer, subscription: Subscription): void {
    const { name, found } = subscription
    peer.subscriptions.delete(name)
    const others = this.#byChannel.get(name)
    others?.delete(subscription)
    if (others?.size === 0) this.#byChannel.delete(name)
    const org = orgOf(found.params)
    if (org === null || !subscription.isCounted) return
    subscription.isCounted = false
    const left = this.countOf(org) - 1
    if (left > 0) this.#byOrganization.set(org, left)
    else this.#byOrganization.delete(org)
  }

  /** The connections of a user, or of an API key (`principalId`). */
  ofCaller(id: string): ReadonlySet<Peer> {
    return this.#byCaller.get(id) ?? new Set()
  }

  /** Subscriptions to a channel, each with its peer. */
  ofChannel(name: string): ReadonlyMap<Subscription, Peer> {
    return this.#byChannel.get(name) ?? NOBODY
  }

  /** Subscriptions to channels of an organization, of those who may have them. */
  countOf(org: string): number {
    return this.#byOrganization.get(org) ?? 0
  }
}

const NOBODY: ReadonlyMap<Subscription, Peer> = new Map()
