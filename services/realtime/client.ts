import { principalId } from '#services/authentication/principal.ts'
import type { Connection } from './connection.ts'
import type { Listener } from './define-channel.ts'
import type { Doorman } from './doorman.ts'
import type { PeerHub } from './hub.ts'
import type { Message } from './message.ts'
import { Parcel } from './parcel.ts'
import { Peer } from './peer.ts'
import {
  type Command,
  ENDINGS,
  type Ending,
  type HistoryRequest,
  REFUSALS,
  type Refusal,
  type Returning,
  readCommands,
  tokenIn,
  UNSUBSCRIBES,
} from './protocol.ts'
import { subscribed } from './replies.ts'
import type { Subscription } from './subscription.ts'

/** Seconds in which a client must have said who it is, and then the service who may listen. */
const CONNECT_TIMEOUT_S = 5
/** Most milliseconds for the answer to a ping; less where pings come more often. */
const PONG_TIMEOUT_MS = 8000
/** Milliseconds beyond the end of a token in which the client can send another. */
const EXPIRY_GRACE_MS = 25_000
/** The answer to a ping. */
const PONG = '{}'
/** Commands that a client may send at once, and in each second. */
const BURST = 256
const COMMANDS_PER_SECOND = 32

export interface ClientOptions {
  readonly hub: PeerHub
  readonly connection: Connection
  readonly doorman: Doorman
  readonly version: string
  /** Bytes that may wait for the client. */
  readonly maxWaiting: number
  /** Milliseconds between pings. */
  readonly pingMs: number
  readonly now: () => number
}

/** A client that speaks Centrifugo's protocol: what it asks for, and what it is told. */
export class Client extends Peer {
  readonly transport = 'websocket'
  readonly #options: ClientOptions
  #state: 'new' | 'connecting' | 'connected' = 'new'
  /** Seconds that have been ticked: a process that was stopped has kept the client waiting, and not the other way round. */
  #age = 0
  /** By `performance.now()`, as all times here. */
  #expiresAt = Number.POSITIVE_INFINITY
  /** Whether it can send another token: one whose token came as data asks for a new one only when it connects. */
  #canRefresh = false
  #pingAt = Number.POSITIVE_INFINITY
  #pongBy = Number.POSITIVE_INFINITY
  #credit = BURST
  /** Commands that came along with the one to connect, in whose frame clients send them. */
  #held: Command[] = []
  /** Messages that came before the client was told that it is connected. */
  #early: Message[] = []

  constructor(options: ClientOptions) {
    super(options.hub, options.connection)
    this.#options = options
  }

  /** Takes a frame of the client. */
  receive(frame: string): void {
    if (this.isEnded) return
    // As most frames are, and by far the shortest way to read them.
    if (frame === PONG) {
      this.#pongBy = Number.POSITIVE_INFINITY
      if (--this.#credit < 0) this.end(ENDINGS.flood)
      else if (this.#state === 'new') this.end(ENDINGS.invalid)
      return
    }
    const commands = readCommands(frame, BURST)
    if (commands === undefined) {
      this.end(ENDINGS.invalid)
      return
    }
    this.#pongBy = Number.POSITIVE_INFINITY
    this.#credit -= commands.length
    if (this.#credit < 0) {
      this.end(ENDINGS.flood)
      return
    }
    for (const command of commands) this.#take(command)
  }

  pushAll(parcel: Parcel): void {
    if (this.#state === 'connected') for (const frame of parcel.frames) this.#send(frame)
    else this.#early.push(...parcel.messages)
  }

  dropped({ name, found }: Subscription, why: Ending): void {
    // The client can't ask again for what it never asked for; it does so by connecting again.
    if (found.channel.isOwn && why === UNSUBSCRIBES.lost) this.end(ENDINGS.insufficientState)
    else this.#send(JSON.stringify({ push: { channel: name, unsubscribe: why } }))
  }

  tick(now: number): void {
    this.#credit = Math.min(BURST, this.#credit + COMMANDS_PER_SECOND)
    if (this.#state !== 'connected') {
      this.#age++
      // Clients do not come back after the first; that the service does not answer is not their fault.
      if (this.#age > CONNECT_TIMEOUT_S) this.end(this.#state === 'new' ? ENDINGS.stale : ENDINGS.serverError)
    } else if (now > this.#expiresAt + EXPIRY_GRACE_MS) this.end(ENDINGS.expired)
    else if (now > this.#pongBy) this.end(ENDINGS.noPong)
    else if (now >= this.#pingAt) {
      const { pingMs } = this.#options
      this.#pingAt = now + pingMs
      this.#pongBy = now + Math.min(PONG_TIMEOUT_MS, pingMs)
      this.#send('{}')
    }
  }

  #take(command: Command): void {
    const { id = 0 } = command
    if (command.connect) {
      if (this.#state === 'new') void this.#connect(id, command.connect)
      else this.end(ENDINGS.invalid)
    } else if (this.#state === 'connecting') this.#held.push(command)
    else if (this.#state === 'new') this.end(ENDINGS.invalid)
    else if (command.subscribe) void this.#subscribe(id, command.subscribe)
    else if (command.unsubscribe) {
      this.#options.hub.unsubscribe(this, command.unsubscribe.channel)
      this.#reply(id, { unsubscribe: {} })
    } else if (command.refresh) void this.#refresh(id, command.refresh.token)
    else if (command.history) void this.#history(id, command.history)
    else if (command.presence) void this.#presence(id, command.presence.channel)
    else if (command.presence_stats) void this.#presenceStats(id, command.presence_stats.channel)
    else this.#decline(id, command)
  }

  async #connect(id: number, request: NonNullable<Command['connect']>): Promise<void> {
    const { token, data, subs = {} } = request
    this.#state = 'connecting'
    this.#canRefresh = token !== undefined && token !== ''
    const listener = await this.#authenticate(id, token || (tokenIn(data) ?? ''))
    if (listener === undefined) return
    if (!this.#options.hub.identify(this, listener)) {
      this.end(ENDINGS.tooMany)
      return
    }
    const own = await this.#subscribeToOwn(listener, subs)
    if (this.isEnded) return
    if (own === undefined) {
      this.end(ENDINGS.serverError)
      return
    }
    this.#state = 'connected'
    const { pingMs, version, now } = this.#options
    // Spread over the interval, so that clients that came together are not asked together.
    this.#pingAt = now() + pingMs * (0.5 + Math.random() / 2)
    const about = { client: this.id, version, ping: Math.ceil(pingMs / 1000), pong: true }
    this.#reply(id, {
      connect: { ...about, ...this.#life(), ...(Object.keys(own).length > 0 ? { subs: own } : {}) },
    })
    const early = this.#early
    this.#early = []
    this.pushAll(new Parcel(early))
    const held = this.#held
    this.#held = []
    for (const command of held) this.#take(command)
  }

  /** Subscribes to what everybody gets; returns where each begins, or undefined when the service can't now. */
  async #subscribeToOwn(
    listener: Listener,
    returning: Readonly<Record<string, Returning>>,
  ): Promise<Record<string, object> | undefined> {
    const { hub } = this.#options
    const own: Record<string, object> = {}
    for (const name of hub.ownOf(listener)) {
      const place = returning[name] ?? {}
      const refusal = await hub.subscribe(this, name, place, (beginning, fresh) => {
        own[name] = subscribed(place, beginning)
        this.#early.push(...fresh)
      })
      if (refusal) return undefined
    }
    return own
  }

  /** Finds out who sends a token. Returns undefined when that is nobody; then the client knows. */
  async #authenticate(id: number, token: string): Promise<Listener | undefined> {
    const { doorman, now } = this.#options
    const admitted = await doorman.admit(token).catch(() => 'unknown' as const)
    if (this.isEnded) return undefined
    if (admitted === 'expired') this.#expire(id)
    else if (admitted === 'invalid') this.end(ENDINGS.invalidToken)
    else if (admitted === 'ended') this.end(ENDINGS.sessionEnded)
    else if (admitted === 'unknown') this.end(ENDINGS.serverError)
    else {
      this.#expiresAt = now() + admitted.expiresAt - Date.now()
      return admitted.listener
    }
    return undefined
  }

  /**
   * Answers an expired token. By a refusal only those ask for another one who connect with a `token`; the others, and those
   * who are connected, would end for good.
   */
  #expire(id: number): void {
    if (this.#state === 'connected' || !this.#canRefresh) {
      this.end(ENDINGS.expired)
      return
    }
    this.#state = 'new'
    this.#held = []
    this.#refuse(id, REFUSALS.tokenExpired)
  }

  async #refresh(id: number, token = ''): Promise<void> {
    const listener = await this.#authenticate(id, token)
    if (listener === undefined) return
    if (this.listener === undefined || principalId(listener) !== principalId(this.listener)) {
      this.end(ENDINGS.invalidToken)
      return
    }
    this.listener = listener
    const { hub, version } = this.#options
    this.#reply(id, { refresh: { client: this.id, version, ...this.#life() } })
    hub.rights.recheck(this)
  }

  async #subscribe(id: number, { channel, ...place }: NonNullable<Command['subscribe']>): Promise<void> {
    const refusal = await this.#options.hub.subscribe(this, channel, place, (beginning, fresh) => {
      this.#reply(id, { subscribe: subscribed(place, beginning) })
      this.pushAll(new Parcel(fresh))
    })
    if (refusal) this.#refuse(id, refusal)
  }

  async #history(id: number, request: HistoryRequest): Promise<void> {
    const { channel, limit = 0, since, reverse } = request
    const page = await this.#options.hub.history(this, channel, { limit, since, isReverse: reverse === true })
    if ('code' in page) this.#refuse(id, page)
    else this.#reply(id, { history: page })
  }

  async #presence(id: number, channel: string): Promise<void> {
    const found = await this.#options.hub.presence(this, channel, (attendance) => attendance.list(channel))
    if ('code' in found) this.#refuse(id, found)
    else {
      const presence = found.map(({ client, caller }) => [client, { client, user: caller }])
      this.#reply(id, { presence: { presence: Object.fromEntries(presence) } })
    }
  }

  async #presenceStats(id: number, channel: string): Promise<void> {
    const found = await this.#options.hub.presence(this, channel, (attendance) => attendance.count(channel))
    if ('code' in found) this.#refuse(id, found)
    else this.#reply(id, { presence_stats: { num_clients: found.clients, num_users: found.callers } })
  }

  /** Answers what the service does not do. */
  #decline(id: number, command: Command): void {
    if (command.ping) this.#reply(id, { ping: {} })
    else if (command.publish) this.#refuse(id, REFUSALS.denied)
    else if (command.sub_refresh) this.#refuse(id, REFUSALS.unavailable)
    // What has no number wants no answer: a pong, or a message for a handler that there is not.
    else if (id > 0) this.#refuse(id, REFUSALS.unknownMethod)
  }

  #life(): object {
    if (!this.#canRefresh || this.#expiresAt === Number.POSITIVE_INFINITY) return {}
    const milliseconds = this.#expiresAt - this.#options.now()
    return { expires: true, ttl: Math.max(1, Math.floor(milliseconds / 1000)) }
  }

  #reply(id: number, reply: object): void {
    this.#send(JSON.stringify({ id, ...reply }))
  }

  #refuse(id: number, error: Refusal): void {
    this.#reply(id, { error })
  }

  #send(frame: string | Buffer): void {
    if (this.isEnded) return
    const { connection } = this
    const { maxWaiting } = this.#options
    connection.send(frame)
    if (connection.waiting > maxWaiting) this.end(ENDINGS.slow)
  }
}
