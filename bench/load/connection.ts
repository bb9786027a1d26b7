import { connect, type Socket } from 'node:net'

/** An answer as far as a load generator has to know it. */
export interface Answer {
  status: number
  /** Whether it says when to come again. */
  retryAfter: boolean
}

/** One HTTP/1.1 connection that has at most one request under way. */
export class Connection {
  /** Resolves when requests can be sent, or never will be. */
  readonly settled: Promise<void>
  readonly #socket: Socket
  #pending = ''
  /** Bytes of the present answer's body that have yet to come. */
  #missing = 0
  #answer: Answer | undefined
  #onAnswer: ((answer: Answer | undefined) => void) | undefined

  /** @param onGone is called once when the connection has ended */
  constructor(host: string, port: number, onGone: () => void) {
    this.#socket = connect({ host, port, noDelay: true })
    this.settled = new Promise((resolve) => {
      this.#socket.once('connect', resolve).once('close', () => resolve())
    })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (chunk: string) => this.#read(chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.once('close', () => {
      onGone()
      this.#settle(undefined)
    })
  }

  /** Sends a whole request; the answer is undefined when the connection ends first. */
  send(request: string, onAnswer: (answer: Answer | undefined) => void): void {
    this.#onAnswer = onAnswer
    this.#socket.write(request)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: string): void {
    let rest = chunk
    if (!this.#answer) {
      this.#pending += chunk
      const end = this.#pending.indexOf('\r\n\r\n')
      if (end === -1) return
      const head = parseHead(this.#pending.slice(0, end))
      rest = this.#pending.slice(end + 4)
      this.#pending = ''
      this.#answer = head
      this.#missing = head.length
    }
    this.#missing -= rest.length
    if (this.#missing > 0) return
    const { status, retryAfter } = this.#answer
    this.#answer = undefined
    this.#settle({ status, retryAfter })
  }

  #settle(answer: Answer | undefined): void {
    const listener = this.#onAnswer
    this.#onAnswer = undefined
    listener?.(answer)
  }
}

/**
 * Reads a head. The measured servers send a length with every response.
 *
 * @throws Error when there is no length
 */
export function parseHead(head: string): Answer & { length: number } {
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined && status !== 204 && status !== 304) {
    throw new Error(`An answer has no length: ${head}`)
  }
  return { status, length: Number(length ?? 0), retryAfter: /\r\nretry-after: *\S/i.test(head) }
}
