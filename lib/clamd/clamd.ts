import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { ClamdRefused, ClamdUnavailable } from './clamd-error.ts'

/** The verdict of a scanner on some bytes. */
export type Verdict =
  | { readonly kind: 'clean' }
  /** @param signature name of what was found */
  | { readonly kind: 'infected'; readonly signature: string }
  /** There are more bytes than it looks at. */
  | { readonly kind: 'too_large' }

/** Bytes of a chunk: a large one keeps clamd waiting, each costs it two reads. */
const CHUNK_BYTES = 256 * 1024

/** Bytes of an answer that are read; those of clamd are one line. */
const MAX_ANSWER_BYTES = 4096

/** Beginning of what clamd reports where it looked at a part only (`AlertExceedsMax`). */
const LIMITS_EXCEEDED = 'Heuristics.Limits.Exceeded'

/** A daemon of ClamAV, by its own protocol (clamd(8)). Each command has a connection of its own. */
export class Clamd {
  /** For people. */
  readonly place: string
  readonly #target: NetConnectOpts
  readonly #timeoutMs: number

  /**
   * @param url `tcp://host:port` or `unix:///path`
   * @param timeoutMs milliseconds without any progress after which an answer is not waited for
   */
  constructor(url: string, timeoutMs: number) {
    this.place = url
    const { protocol, hostname, port, pathname } = new URL(url)
    this.#target =
      protocol === 'unix:'
        ? { path: decodeURIComponent(pathname) }
        : { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }
    this.#timeoutMs = timeoutMs
  }

  /**
   * Has it look at bytes, none of which is kept here.
   *
   * @throws ClamdUnavailable, ClamdRefused, and what `pieces` throws
   */
  async scan(pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Verdict> {
    const answer = await this.#ask('INSTREAM', signal, (connection) => sendAll(connection, pieces))
    if (answer === 'stream: OK') return { kind: 'clean' }
    if (answer.startsWith('INSTREAM size limit exceeded')) return { kind: 'too_large' }
    const [, signature] = /^stream: (.+) FOUND$/.exec(answer) ?? []
    if (signature === undefined) throw new ClamdRefused(`clamd said: ${answer || 'nothing'}`)
    return signature.startsWith(LIMITS_EXCEEDED) ? { kind: 'too_large' } : { kind: 'infected', signature }
  }

  /**
   * Returns its version, and where it has signatures of ClamAV's own, theirs and their date.
   *
   * @throws ClamdUnavailable
   */
  version(): Promise<string> {
    return this.#ask('VERSION', undefined, async () => undefined)
  }

  async #ask(
    command: string,
    signal: AbortSignal | undefined,
    send: (connection: Connection) => Promise<void>,
  ): Promise<string> {
    const connection = new Connection(connect(this.#target), this.#timeoutMs)
    const abort = () => connection.end(signal?.reason)
    signal?.addEventListener('abort', abort)
    try {
      signal?.throwIfAborted()
      await connection.write(Buffer.from(`z${command}\0`))
      await send(connection)
      return await connection.answer
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ClamdUnavailable)) throw error
      throw new ClamdUnavailable(`${this.place} does not answer: ${error.message}`, { cause: error })
    } finally {
      signal?.removeEventListener('abort', abort)
      connection.end()
    }
  }
}

/** Sends bytes in chunks, each with its length before it, until all are sent or the answer is there. */
async function sendAll(connection: Connection, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
      const chunk = piece.subarray(at, at + CHUNK_BYTES)
      await connection.write(Buffer.concat([lengthOf(chunk), chunk]))
      // It has seen enough.
      if (connection.isAnswered) return
    }
  }
  await connection.write(lengthOf(Buffer.alloc(0)))
}

function lengthOf({ length }: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** A connection for one command. */
class Connection {
  /** Words of clamd, without its end; fails when it says nothing. */
  readonly answer: Promise<string>
  readonly #socket: Socket
  #text = ''
  #isAnswered = false
  #failure: Error | undefined

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`nothing happened for ${timeoutMs} ms`)))
    this.answer = new Promise((resolve, reject) => {
      socket.setEncoding('utf8')
      socket.on('data', (text) => {
        this.#text = (this.#text + text).slice(0, MAX_ANSWER_BYTES)
        this.#isAnswered ||= this.#text.includes('\0')
        if (this.#isAnswered) resolve(this.#text.split('\0', 1)[0] ?? '')
      })
      // One that refuses what comes says why, and does not read the rest: the answer is there before the error.
      socket.on('error', (error) => {
        this.#failure = error
      })
      socket.on('close', () => {
        const { message } = this.#failure ?? new Error('it closed the connection')
        reject(new ClamdUnavailable(message, { cause: this.#failure }))
      })
    })
    this.answer.catch(() => undefined)
  }

  get isAnswered(): boolean {
    return this.#isAnswered
  }

  /** Sends bytes, and waits until they can be taken; nothing happens to those that come after the answer. */
  async write(bytes: Uint8Array): Promise<void> {
    // What is written to one that has answered and closed fails, and its answer is lost with the connection unless it was
    // read before. After two turns of the event loop, all that has come is read.
    await turn()
    await turn()
    if (this.#isAnswered) return
    const sent = new Promise<void>((resolve) => {
      // A connection that breaks fails by its answer, which may be there already.
      this.#socket.write(bytes, (error) => error ?? resolve())
    })
    await Promise.race([sent, this.answer])
  }

  end(reason?: unknown): void {
    this.#socket.destroy(reason instanceof Error ? reason : undefined)
  }
}
