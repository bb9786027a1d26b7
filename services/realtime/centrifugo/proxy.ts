import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Context, Log } from '#lib/context.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { principalId } from '#services/authentication/principal.ts'
import type { ChannelList } from '../channel-list.ts'
import type { ChannelParams, Listener } from '../define-channel.ts'
import type { Doorman } from '../doorman.ts'
import { ENDINGS, type Ending, REFUSALS, type Refusal, tokenIn } from '../protocol.ts'

/**
 * Milliseconds after somebody was let in, at which it is looked again: what ended before Centrifugo knew the connection
 * could not be ended. It knows it at once as a rule, and waits no longer than 5 s for the answer.
 */
const LOOKS_MS = [500, 6000]

/** Asks to hear who comes and goes; of what a client asks for, Centrifugo passes on only its `data`. */
const WantsPresence = Type.Object({ join_leave: Type.Literal(true) })

/** Who a connection belongs to: Centrifugo keeps it, and sends it along with what it asks later. */
export type ConnectionMeta =
  | { readonly kind: 'user'; readonly session: string; readonly address: string }
  | { readonly kind: 'api_key'; readonly org: string; readonly key: string; readonly address: string }

/** An answer in the form of Centrifugo's proxy protocol. */
export type ProxyAnswer =
  | { readonly result: object }
  | { readonly error: Refusal }
  | { readonly disconnect: Ending }

interface ProxyOptions<Ctx extends Context> {
  /** Reads memberships from the database: a client that was just told to ask again must not get an older answer. */
  readonly ctx: Ctx
  readonly log: Log
  readonly channels: ChannelList<Ctx>
  /** Returns who a connection belongs to, from the database; undefined when the session or key has ended. */
  readonly load: (meta: ConnectionMeta) => Promise<Listener | undefined>
  /** Has all connections of a caller (`principalId`) ended, each of which then connects again. */
  readonly end: (caller: string) => Promise<unknown>
  /** Milliseconds after which Centrifugo asks again. */
  readonly recheckMs: number
}

/**
 * Answers what a Centrifugo cluster asks about its clients: who they are, what they may hear, and again after a while, so
 * that nothing lasts that nobody told of.
 */
export class CentrifugoProxy<Ctx extends Context> {
  readonly #options: ProxyOptions<Ctx>
  readonly #warn: (error: unknown) => void

  constructor(options: ProxyOptions<Ctx>) {
    this.#options = options
    this.#warn = warnOfTrouble(options.log, 'could not answer Centrifugo')
  }

  /** Says who connects; the token is in the client's `data`. */
  async connect(doorman: Doorman, data: unknown): Promise<ProxyAnswer> {
    return this.#answer(async () => {
      const admitted = await doorman.admit(tokenIn(data) ?? '')
      // After a refusal clients that send it as data would end for good.
      if (admitted === 'expired') return { disconnect: ENDINGS.expired }
      if (admitted === 'invalid') return { disconnect: ENDINGS.invalidToken }
      if (admitted === 'ended') return { disconnect: ENDINGS.sessionEnded }
      const { listener } = admitted
      const meta = metaOf(listener)
      // The token was checked by what is known; what Centrifugo is told now must be so in the database.
      if ((await this.#options.load(meta)) === undefined) return { disconnect: ENDINGS.sessionEnded }
      void this.#lookAgain(meta, principalId(listener))
      const channels = listener.kind === 'user' ? this.#options.channels.ownOf(listener.user.id) : []
      return { result: { user: principalId(listener), expire_at: this.#expiry(), channels, meta } }
    })
  }

  /** Says whether a connection may go on. */
  async refresh(meta: ConnectionMeta): Promise<ProxyAnswer> {
    return this.#answer(async () => {
      if ((await this.#options.load(meta)) === undefined) return { disconnect: ENDINGS.sessionEnded }
      return { result: { expire_at: this.#expiry() } }
    })
  }

  /** Says whether somebody may listen to a channel; `data` is what the client sent along. */
  async subscribe(meta: ConnectionMeta, channel: string, data: unknown): Promise<ProxyAnswer> {
    return this.#answer(async () => {
      const found = await this.#authorize(meta, channel)
      if (found === undefined) return { error: REFUSALS.denied }
      const has = { value: found.hasPresence }
      const hears = { value: found.hasPresence && Value.Check(WantsPresence, data) }
      const override = { presence: has, join_leave: has, force_push_join_leave: hears }
      return { result: { expire_at: this.#expiry(), override } }
    })
  }

  /** Says whether a subscription may go on. */
  async refreshSubscription(meta: ConnectionMeta, channel: string): Promise<ProxyAnswer> {
    return this.#answer(async () => {
      const found = await this.#authorize(meta, channel)
      return { result: found === undefined ? { expired: true } : { expire_at: this.#expiry() } }
    })
  }

  /** Ends somebody who has just connected, if the session ended before Centrifugo knew the connection. */
  async #lookAgain(meta: ConnectionMeta, caller: string): Promise<void> {
    try {
      const since = performance.now()
      for (const at of LOOKS_MS) {
        await sleep(since + at - performance.now(), undefined, { ref: false })
        if ((await this.#options.load(meta)) === undefined) await this.#options.end(caller)
      }
    } catch (error) {
      // The next question finds it.
      this.#warn(error)
    }
  }

  async #authorize(meta: ConnectionMeta, name: string) {
    const { ctx, channels, load } = this.#options
    const found = channels.find(name)
    const listener = found && (await load(meta))
    if (found === undefined || listener === undefined) return undefined
    const params: ChannelParams = found.params
    return (await found.channel.authorize(ctx, listener, params)) ? found.channel : undefined
  }

  /** Seconds since 1970. */
  #expiry(): number {
    return Math.floor((Date.now() + this.#options.recheckMs) / 1000)
  }

  async #answer(work: () => Promise<ProxyAnswer>): Promise<ProxyAnswer> {
    try {
      return await work()
    } catch (error) {
      this.#warn(error)
      return { error: REFUSALS.internal }
    }
  }
}

function metaOf(listener: Listener): ConnectionMeta {
  const { address } = listener
  if (listener.kind === 'user') return { kind: 'user', session: listener.sessionId, address }
  return { kind: 'api_key', org: listener.key.org, key: listener.key.id, address }
}
