import type { Writable } from 'node:stream'
import { settledWithin } from '#lib/waiting/settled-within.ts'

/** Milliseconds for which lines are gathered, so that a busy instance does not make a system call for each. */
const GATHER_TIME_MS = 10
/** Characters after which it does not wait for more. */
const CHUNK_CHARACTERS = 16_384
/** Bytes that a pipe takes at once or not at all (PIPE_BUF of Linux), so that nobody else's come between. */
const ATOMIC_WRITE_BYTES = 4096
/** Characters that may wait for a reader that does not read; some 25 000 lines. */
const MAX_WAITING_CHARACTERS = 8_388_608

/**
 * Writes log lines to a stream that may be slow, blocked, full or closed, without ever making anybody wait: what
 * does not fit into a bounded buffer is dropped and counted.
 */
export class LogDestination {
  readonly #stream: Writable
  #waiting = ''
  /** Lines in `#waiting`. */
  #lines = 0
  #dropped = 0
  #isShared = false
  #timer: NodeJS.Timeout | undefined
  /** Ends when the stream has taken what it was given. */
  #writing: Promise<void> | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    // A closed pipe or a full disk must not end the process; the write's callback counts it.
    stream.on('error', () => undefined)
  }

  /** From now on other processes write to the stream too: lines of up to 4 KiB are not mixed with theirs. */
  share(): void {
    this.#isShared = true
  }

  /** How many lines were lost so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes one line, its end included. */
  write(line: string): void {
    if (this.#waiting.length + line.length > MAX_WAITING_CHARACTERS) {
      this.#dropped++
      return
    }
    this.#waiting += line
    this.#lines++
    if (this.#waiting.length >= CHUNK_CHARACTERS) this.flushSync()
    else this.#timer ??= setTimeout(() => this.flushSync(), GATHER_TIME_MS)
  }

  /** Hands over what waits, unless the stream still has to do with what it got before. Pino calls it after `fatal`. */
  flushSync(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#writing === undefined && this.#lines > 0) this.#writing = this.#write()
  }

  /** Waits until everything has been taken, but not longer than `timeout` milliseconds. */
  async flush(timeout: number): Promise<void> {
    await settledWithin(this.#flushAll(), timeout)
  }

  async #flushAll(): Promise<void> {
    for (this.flushSync(); this.#writing !== undefined; this.flushSync()) await this.#writing
  }

  async #write(): Promise<void> {
    const [text, lines] = [this.#waiting, this.#lines]
    this.#waiting = ''
    this.#lines = 0
    let error: unknown
    for (const piece of this.#isShared ? splitLines(text) : [text]) {
      // One by one, for the stream would put those that wait together.
      error = (await new Promise((resolve) => this.#stream.write(piece, resolve))) ?? error
    }
    if (error) this.#dropped += lines
    this.#writing = undefined
    // What came meanwhile has gathered for long enough, or is enough. If not, a timer waits.
    if (this.#timer === undefined) this.flushSync()
  }
}

/** Whole lines in pieces that a pipe takes at once, unless one of them is longer. */
function splitLines(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const pieces: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const last =
      bytes.length - start > ATOMIC_WRITE_BYTES
        ? bytes.lastIndexOf('\n', start + ATOMIC_WRITE_BYTES - 1)
        : bytes.length - 1
    const end = last < start ? bytes.indexOf('\n', start) : last
    pieces.push(bytes.subarray(start, end + 1))
    start = end + 1
  }
  return pieces
}
