import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../statistics.ts'
import { type Answer, Connection } from './connection.ts'
import { PLACEHOLDER, type RequestTemplate, reserveNumbers } from './load.ts'

/** Requests that come at a rate, whether or not the earlier ones were answered, as those of many users do. */
export interface OpenLoad {
  origin: string
  /** Sent in turn. */
  requests: readonly RequestTemplate[]
  /** Requests a second. */
  rate: number
  seconds: number
  /** Most connections at once; a request that finds none free counts as unanswered. */
  connections: number
  /** Milliseconds within which an answer is of use to who asked. */
  patience: number
  /**
   * Asked over each connection before the load begins: what the kernel has opened the server has yet to accept, and
   * one that is busy accepts one in a turn of its event loop.
   */
  greeting?: RequestTemplate
}

/** Results of the requests; rates are per second, times in milliseconds from when each was due. */
export interface OpenResult {
  offered: number
  /** Answered as they should be, in time. */
  goodput: number
  /** Answered so, but too late. */
  late: number
  /** Answered with 429 or 503. */
  refused: number
  /** The refused ones without Retry-After. */
  refusedBluntly: number
  /** Any other answer. */
  wrong: number
  /** No answer. */
  unanswered: number
  /** Milliseconds by which the generator itself was late at worst: beyond a few tens the machine has other work. */
  lag: number
  served50: number
  served99: number
  refused50: number
  refused99: number
}

/** Connections that are opened at once: fewer than a listener's backlog. */
const BATCH = 100

/** Milliseconds after the last request in which answers still count. */
const AFTERMATH = 2000

/** Sends the load and counts. */
export async function runOpenLoop(load: OpenLoad): Promise<OpenResult> {
  const pool = new ConnectionPool(load)
  const texts = load.requests.map((request) => textOf(request, load.origin))
  await pool.fill(load.greeting && textOf(load.greeting, load.origin)())
  const counts = new Counts(load)
  const begin = performance.now()
  const total = Math.round(load.rate * load.seconds)
  let sent = 0
  let lag = 0
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * load.rate) + 1)
    for (; sent < due; sent++) {
      const scheduled = begin + (sent / load.rate) * 1000
      lag = Math.max(lag, performance.now() - scheduled)
      const text = texts[sent % texts.length]?.() ?? ''
      if (!pool.send(text, (answer) => counts.add(scheduled, answer))) counts.add(scheduled, undefined)
    }
    // Let answers in, and come back about a millisecond later.
    await sleep(1)
  }
  const end = performance.now() + AFTERMATH
  while (counts.counted < total && performance.now() < end) await sleep(10)
  pool.destroy()
  return counts.result(total, lag)
}

/** Connections that are kept, the most recently used first, as clients' pools do. */
class ConnectionPool {
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  readonly #limit: number
  readonly #host: string
  readonly #port: number

  constructor({ origin, connections }: OpenLoad) {
    const { hostname, port } = new URL(origin)
    this.#host = hostname
    this.#port = Number(port)
    this.#limit = connections
  }

  /** Opens all connections; opening them does not count as load. */
  async fill(greeting: string | undefined): Promise<void> {
    while (this.#all.size < this.#limit) {
      const batch = Array.from({ length: Math.min(BATCH, this.#limit - this.#all.size) }, () => this.#open())
      await Promise.all(batch.map((connection) => connection && this.#ready(connection, greeting)))
      if (this.#all.size === 0) throw new Error('The server takes no connection.')
    }
  }

  async #ready(connection: Connection, greeting: string | undefined): Promise<void> {
    await connection.settled
    if (greeting !== undefined && this.#all.has(connection)) {
      await new Promise<Answer | undefined>((resolve) => connection.send(greeting, resolve))
    }
    if (this.#all.has(connection)) this.#idle.push(connection)
  }

  /** Returns false when all connections are busy and no more may be opened. */
  send(text: string, onAnswer: (answer: Answer | undefined) => void): boolean {
    const connection = this.#idle.pop() ?? this.#open()
    if (!connection) return false
    connection.send(text, (answer) => {
      if (answer && this.#all.has(connection)) this.#idle.push(connection)
      onAnswer(answer)
    })
    return true
  }

  destroy(): void {
    for (const connection of this.#all) connection.destroy()
  }

  #open(): Connection | undefined {
    if (this.#all.size >= this.#limit) return undefined
    const connection: Connection = new Connection(this.#host, this.#port, () => {
      this.#all.delete(connection)
      const at = this.#idle.indexOf(connection)
      if (at !== -1) this.#idle.splice(at, 1)
    })
    this.#all.add(connection)
    return connection
  }
}

/** Sorts answers by what they are worth. */
class Counts {
  counted = 0
  readonly #load: OpenLoad
  readonly #served: number[] = []
  readonly #refused: number[] = []
  #late = 0
  #blunt = 0
  #wrong = 0

  constructor(load: OpenLoad) {
    this.#load = load
  }

  add(scheduled: number, answer: Answer | undefined): void {
    this.counted++
    if (!answer) return
    const { status, retryAfter } = answer
    const time = performance.now() - scheduled
    if (status < 400) {
      this.#served.push(time)
      if (time > this.#load.patience) this.#late++
    } else if (status === 429 || status === 503) {
      this.#refused.push(time)
      if (!retryAfter) this.#blunt++
    } else this.#wrong++
  }

  result(total: number, lag: number): OpenResult {
    const { seconds } = this.#load
    const answered = this.#served.length + this.#refused.length + this.#wrong
    return {
      offered: total / seconds,
      goodput: (this.#served.length - this.#late) / seconds,
      late: this.#late / seconds,
      refused: this.#refused.length / seconds,
      refusedBluntly: this.#blunt / seconds,
      wrong: this.#wrong / seconds,
      unanswered: (total - answered) / seconds,
      lag,
      served50: quantile(this.#served, 0.5),
      served99: quantile(this.#served, 0.99),
      refused50: quantile(this.#refused, 0.5),
      refused99: quantile(this.#refused, 0.99),
    }
  }
}

/** Returns a function that returns a request's bytes at each call. */
function textOf({ method, path, headers, body = '' }: RequestTemplate, origin: string): () => string {
  const lines = Object.entries({ host: new URL(origin).host, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  const text = (content: string) => {
    const length = method === 'GET' ? '' : `content-length: ${Buffer.byteLength(content)}\r\n`
    return `${method} ${path} HTTP/1.1\r\n${lines.join('')}${length}\r\n${content}`
  }
  if (body.includes(PLACEHOLDER)) {
    return () => text(body.replaceAll(PLACEHOLDER, () => String(reserveNumbers(1))))
  }
  const constant = text(body)
  return () => constant
}
