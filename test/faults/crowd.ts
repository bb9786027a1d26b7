import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { WebSocket } from 'ws'

/** Longest time before a client that was cut off connects again. */
const RETURN_MS = 1000
/** Clients that connect at the same time. */
const AT_ONCE = 50

interface CrowdOptions {
  /** Where the nodes are; a client that is cut off goes to the next. */
  readonly urls: readonly string[]
  readonly token: string
  readonly channel: string
}

interface Publication {
  readonly offset?: number
  readonly data: { readonly subject: { readonly id: string } }
}

/** The parts of a frame that count. */
interface Frame {
  readonly error?: { readonly code: number }
  readonly subscribe?: {
    readonly epoch: string
    readonly offset?: number
    readonly recovered?: boolean
    readonly publications?: readonly Publication[]
  }
  readonly push?: { readonly channel: string; readonly pub?: Publication }
}

/**
 * Thousands of clients of one channel, without a library, each of which remembers only where it is. All must begin before
 * anything is told.
 */
export class Crowd {
  /** Subjects that were told, in the order of the first who heard them. */
  readonly order: string[] = []
  /** Faults: something out of order, twice, or left out. */
  readonly wrongs: string[] = []
  readonly options: CrowdOptions
  readonly #members: Member[] = []

  private constructor(options: CrowdOptions) {
    this.options = options
  }

  /** Opens so many clients; they end with `t`. */
  static async open(t: Test, count: number, options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options)
    t.teardown(() => {
      for (const member of crowd.#members) member.end()
    })
    const work = async () => {
      while (crowd.#members.length < count) {
        const member = new Member(crowd, crowd.#members.length)
        crowd.#members.push(member)
        await member.begun
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return crowd
  }

  /** Whether all are there, and have heard so much. */
  hasHeard(count: number): boolean {
    return this.#members.every((member) => member.isSubscribed && member.heard === count)
  }

  /** How often somebody came back. */
  get returns(): number {
    return this.#members.reduce((sum, { returns }) => sum + returns, 0)
  }
}

class Member {
  readonly begun: Promise<void>
  isSubscribed = false
  heard = 0
  returns = 0
  readonly #crowd: Crowd
  readonly #begin = Promise.withResolvers<void>()
  #turn: number
  #place: { epoch: string; offset: number } | undefined
  #socket: WebSocket | undefined
  #isOver = false

  constructor(crowd: Crowd, index: number) {
    this.#crowd = crowd
    this.#turn = index
    this.begun = this.#begin.promise
    void this.#stay()
  }

  end(): void {
    this.#isOver = true
    this.#socket?.terminate()
  }

  /** Connects, and again whenever that ends. */
  async #stay(): Promise<void> {
    const { urls, token, channel } = this.#crowd.options
    while (!this.#isOver) {
      const socket = new WebSocket(urls[this.#turn++ % urls.length] ?? '', { perMessageDeflate: false })
      this.#socket = socket
      socket.on('error', () => undefined)
      socket.on('message', (data) => {
        for (const line of String(data).split('\n')) this.#take(socket, line)
      })
      socket.once('open', () => {
        const place = this.#place && { recover: true, ...this.#place }
        socket.send(
          [
            { id: 1, connect: { token } },
            { id: 2, subscribe: { channel, ...place } },
          ]
            .map((command) => JSON.stringify(command))
            .join('\n'),
        )
      })
      // Not `once` of node:events, which fails when nobody listens at a URL.
      await new Promise((resolve) => socket.once('close', resolve))
      this.isSubscribed = false
      await sleep(Math.random() * RETURN_MS)
    }
  }

  #take(socket: WebSocket, line: string): void {
    if (line === '{}') {
      socket.send('{}')
      return
    }
    const { subscribe, push, error }: Frame = JSON.parse(line)
    if (error) socket.terminate()
    if (push?.pub && push.channel === this.#crowd.options.channel) this.#hear(push.pub)
    if (subscribe === undefined) return
    const { epoch, offset = 0, recovered, publications = [] } = subscribe
    if (this.#place === undefined) this.#place = { epoch, offset }
    else {
      this.returns++
      if (recovered !== true) this.#crowd.wrongs.push('somebody has to load again')
    }
    for (const publication of publications) this.#hear(publication)
    this.isSubscribed = true
    this.#begin.resolve()
  }

  #hear({ offset = 0, data }: Publication): void {
    const { order, wrongs } = this.#crowd
    const place = this.#place
    if (place === undefined) return
    if (offset !== place.offset + 1) wrongs.push(`${offset} after ${place.offset}`)
    place.offset = offset
    const { id } = data.subject
    const index = this.heard++
    if (index === order.length) order.push(id)
    else if (order[index] !== id) wrongs.push(`${id} in the place of ${order[index]}`)
  }
}
