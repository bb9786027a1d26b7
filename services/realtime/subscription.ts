import type { Found } from './channel-list.ts'
import type { Message } from './message.ts'
import { Parcel } from './parcel.ts'
import type { Ending } from './protocol.ts'

/** Messages that may wait while a subscription reads where it begins. */
const MAX_HELD = 1000

/** A listener's interest in a channel. It passes on each message once, in order, from where it began. */
export class Subscription {
  readonly name: string
  readonly found: Found<never>
  /** Whether it wants to hear who comes and goes. */
  readonly hearsNotices: boolean
  /** Whether it counts for its organization. */
  isCounted = false
  /** Why the service has ended it. */
  ending: Ending | undefined
  /** Offset of the last message that was passed on; undefined until it is known where to begin. */
  #offset: number | undefined
  #held: Message[] | undefined = []

  constructor(name: string, found: Found<never>, { hearsNotices = false } = {}) {
    this.name = name
    this.found = found
    this.hearsNotices = hearsNotices
  }

  get isOpen(): boolean {
    return this.#offset !== undefined
  }

  get offset(): number {
    return this.#offset ?? 0
  }

  /**
   * Begins after an offset; returns the messages that came meanwhile, or undefined when some of them are missing.
   */
  begin(offset: number): Message[] | undefined {
    const held = this.#held
    this.#held = undefined
    this.#offset = offset
    if (held === undefined) return undefined
    const fresh: Message[] = []
    for (const message of held) {
      const verdict = this.take(message)
      if (verdict === 'gap') return undefined
      if (verdict === 'new') fresh.push(message)
    }
    return fresh
  }

  /** Returns what is to be passed on of messages that came together, and whether one is missing after that. */
  takeAll(parcel: Parcel): { readonly fresh: Parcel | undefined; readonly isGap: boolean } {
    const { messages } = parcel
    let isGap = false
    // Undefined while it is all of them, as nearly always.
    let some: Message[] | undefined
    for (const [index, message] of messages.entries()) {
      const verdict = this.take(message)
      if (verdict === 'new') some?.push(message)
      else some ??= messages.slice(0, index)
      isGap = verdict === 'gap'
      if (isGap) break
    }
    if (some === undefined) return { fresh: parcel, isGap }
    return { fresh: some.length > 0 ? new Parcel(some) : undefined, isGap }
  }

  /** Says what to do with a message: pass it on, nothing, or give up because one before it is missing. */
  take(message: Message): 'new' | 'old' | 'gap' {
    if (message.isNotice) return this.isOpen && this.hearsNotices ? 'new' : 'old'
    if (this.#offset === undefined) {
      if (this.#held && this.#held.length < MAX_HELD) this.#held.push(message)
      else this.#held = undefined
      return 'old'
    }
    if (message.offset <= this.#offset) return 'old'
    if (message.offset !== this.#offset + 1) return 'gap'
    this.#offset = message.offset
    return 'new'
  }
}
