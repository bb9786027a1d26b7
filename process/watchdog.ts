import inspector from 'node:inspector'
import { Worker } from 'node:worker_threads'

/** Milliseconds between two signs of life, and between two looks at them. */
const INTERVAL_MS = 1000

/** Looks beyond the limit: in them the process logs why it ends, and a primary kills its workers. */
const GRACE_LOOKS = 4

/** Looks without a sign of life that the watchdog tolerates at least, for machines that are very busy. */
const MIN_SILENT_LOOKS = 10

/** Memory that the two threads share: 32-bit integers at these places. */
const SHARED = { beats: 0, ending: 1, debugged: 2 } as const

interface Watch {
  readonly memory: SharedArrayBuffer
  readonly at: typeof SHARED
  /** Looks after the beginning of the end at which the process is killed. */
  readonly limit: number
  /** Looks without a sign of life after which it is killed. */
  readonly silence: number
  readonly interval: number
}

/**
 * Kills the process (SIGKILL) when its end takes longer than the limit, or when its event loop has been blocked for
 * that long and so cannot hear a signal either. A thread of its own does it: timers of a blocked loop do not fire.
 */
export class Watchdog {
  readonly #state = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
  readonly #limit: number
  #started = false

  /** @param timeout milliseconds that an orderly end may take */
  constructor(timeout: number) {
    this.#limit = Math.ceil(timeout / INTERVAL_MS) + GRACE_LOOKS
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    const watch: Watch = {
      memory: this.#state.buffer,
      at: SHARED,
      limit: this.#limit,
      silence: Math.max(this.#limit, MIN_SILENT_LOOKS),
      interval: INTERVAL_MS,
    }
    // Its source, because a file of TypeScript would load the compiler in the thread too, which takes 10 MB.
    const source = `(${watchProcess})(require('node:worker_threads').workerData, require('node:fs'), process)`
    const thread = new Worker(source, { eval: true, workerData: watch, execArgv: [], env: {} })
    // Where a thread cannot be had, the service works without one.
    thread.on('error', () => undefined)
    thread.unref()
    setInterval(() => this.#beat(), INTERVAL_MS).unref()
  }

  /** From now on the time that the end may take is running. */
  expectEnd(): void {
    Atomics.store(this.#state, SHARED.ending, 1)
    this.start()
  }

  #beat(): void {
    Atomics.add(this.#state, SHARED.beats, 1)
    // At a breakpoint everything stands still, which is not a fault.
    Atomics.store(this.#state, SHARED.debugged, inspector.url() === undefined ? 0 : 1)
  }
}

/** Runs in the thread, so it uses nothing of this module. It counts looks: a clock goes on while a machine sleeps. */
export function watchProcess(
  { memory, at, limit, silence, interval }: Watch,
  fs: { write(fd: number, text: string, done: () => void): void },
  self: Pick<NodeJS.Process, 'pid' | 'kill'>,
): void {
  const state = new Int32Array(memory)
  const seen = { beats: 0, silent: 0, ending: 0 }
  const kill = () => self.kill(self.pid, 'SIGKILL')
  const timer = setInterval(() => {
    const beats = Atomics.load(state, at.beats)
    seen.silent = beats === seen.beats && Atomics.load(state, at.debugged) === 0 ? seen.silent + 1 : 0
    seen.beats = beats
    seen.ending += Atomics.load(state, at.ending)
    if (seen.silent <= silence && seen.ending <= limit) return
    clearInterval(timer)
    const why = seen.ending > limit ? 'the end takes too long' : 'the event loop has been blocked too long'
    fs.write(2, `${why}, killing the process\n`, kill)
    // Nobody may read what we say.
    setTimeout(kill, interval)
  }, interval)
}
