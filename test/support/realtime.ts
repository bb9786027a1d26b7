import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Centrifuge, type Subscription, type SubscriptionOptions } from 'centrifuge'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import type { TestUser } from './helper.ts'

/** Has an instance listen; returns the URL of its WebSockets. */
export async function realtimeUrl(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return `ws://127.0.0.1:${port}/realtime`
}

export const tokenOf = ({ headers }: Pick<TestUser, 'headers'>): string =>
  headers.authorization.replace('Bearer ', '')

/** Waits until everything that has happened is published. */
export async function published(db: Pick<TestDatabase, 'query'>): Promise<void> {
  await eventually(async () => (await db.query('SELECT FROM events WHERE realtime_at IS NULL')).length === 0)
}

/** A message as a listener got it. */
export interface Told {
  readonly channel: string
  readonly offset: number
  readonly type: string
  readonly subject: string
}

/** Something that happened to a connection or subscription, such as `unsubscribed 2000`. */
export class Ear {
  readonly client: Centrifuge
  /** On the channels that it has subscribed to, */
  readonly told: Told[] = []
  /** and on the user's own, where signing in is told as well. */
  readonly toldOfUser: Told[] = []
  readonly happened: string[] = []
  /** Who came and went, such as `join` with a user's id. */
  readonly presences: string[] = []
  /** For each time that it was subscribed, whether it got what it missed; undefined for a first time. */
  readonly recoveries: (boolean | undefined)[] = []

  /** A client as people use it; it ends with `t`. A function's token goes along as data, which both engines take. */
  constructor(t: Test, url: string, token: string | (() => Promise<string>)) {
    const tokens = typeof token === 'string' ? { token } : { getData: async () => ({ token: await token() }) }
    this.client = new Centrifuge(url, { ...tokens, minReconnectDelay: 10, maxReconnectDelay: 100 })
    t.teardown(() => this.client.disconnect())
    this.client.on('publication', (message) => this.#hear(message, this.toldOfUser))
    this.client.on('disconnected', ({ code }) => this.happened.push(`disconnected ${code}`))
    this.client.on('connecting', ({ code }) => this.happened.push(`connecting ${code}`))
    this.client.connect()
  }

  /** Subscribes, and waits until that is done, or refused. */
  async to(channel: string, options: Partial<SubscriptionOptions> = {}): Promise<Subscription> {
    // Centrifugo passes on only the data, where it asks the service.
    const data = options.joinLeave ? { data: { join_leave: true } } : {}
    const subscription = this.client.newSubscription(channel, { ...data, ...options })
    subscription.on('join', ({ info }) => this.presences.push(`join ${info.user}`))
    subscription.on('leave', ({ info }) => this.presences.push(`leave ${info.user}`))
    subscription.on('publication', (message) => this.#hear(message, this.told))
    subscription.on('unsubscribed', ({ code }) => this.happened.push(`unsubscribed ${code}`))
    subscription.on('subscribed', ({ wasRecovering, recovered }) => {
      this.recoveries.push(wasRecovering ? recovered : undefined)
    })
    subscription.subscribe()
    await subscription.ready().catch(() => undefined)
    return subscription
  }

  async ready(): Promise<this> {
    await this.client.ready()
    return this
  }

  /** Waits until it was told of these, in this order, and of nothing else on a channel. */
  async heard(channel: string, subjects: readonly string[]): Promise<boolean> {
    const heard = () => [...this.told, ...this.toldOfUser].filter((message) => message.channel === channel)
    await eventually(async () => heard().length >= subjects.length)
    return JSON.stringify(heard().map(({ subject }) => subject)) === JSON.stringify(subjects)
  }

  #hear(
    {
      channel,
      offset = 0,
      data,
    }: {
      channel: string
      offset?: number
      data: { type: string; subject: { id: string } }
    },
    told: Told[],
  ) {
    told.push({ channel, offset, type: data.type, subject: data.subject.id })
  }
}

/** A socket without any protocol. */
export interface Raw {
  readonly socket: WebSocket
  readonly frames: string[]
  /** Waits for the reply to a command. News of the user's own channel may come before and after it. */
  reply(id: number): Promise<{ id: number; connect?: { client: string } }>
  /** The code by which it ended. */
  readonly ended: Promise<number>
}

/** Opens a socket, sends frames, and collects what comes. */
export async function openRaw(t: Test, url: string, frames: readonly (string | Buffer)[]): Promise<Raw> {
  const socket = new WebSocket(url)
  t.teardown(() => socket.terminate())
  const received: string[] = []
  socket.on('message', (data) => received.push(...String(data).split('\n')))
  const ended = once(socket, 'close').then(([code]) => Number(code))
  socket.on('error', () => undefined)
  await once(socket, 'open')
  for (const frame of frames) socket.send(frame)
  const replyTo = (id: number) => received.map((frame) => JSON.parse(frame)).find((reply) => reply.id === id)
  return {
    socket,
    frames: received,
    ended,
    async reply(id) {
      await eventually(async () => replyTo(id) !== undefined)
      return replyTo(id)
    },
  }
}
