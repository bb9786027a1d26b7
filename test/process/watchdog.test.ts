import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { Watchdog, watchProcess } from '#process/watchdog.ts'

const AT = { beats: 0, ending: 1, debugged: 2 } as const

/** A watch over memory of the test's, whose looks come when the test says so. */
function watch(t: Test, { limit, silence }: { limit: number; silence: number }) {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const state = new Int32Array(new SharedArrayBuffer(12))
  const done: unknown[] = []
  const written: (() => void)[] = []
  const fs = {
    write(fd: number, text: string, then: () => void) {
      done.push([fd, text])
      written.push(then)
    },
  }
  const self = {
    pid: 4711,
    kill(...args: unknown[]): true {
      done.push(args)
      return true
    },
  }
  watchProcess({ memory: state.buffer, at: AT, limit, silence, interval: 1000 }, fs, self)
  const look = (times: number, { alive = false } = {}) => {
    for (let count = 0; count < times; count++) {
      if (alive) Atomics.add(state, AT.beats, 1)
      mock.timers.tick(1000)
    }
  }
  return { state, done, written, look }
}

const KILLED = [4711, 'SIGKILL']

t.test('a process that shows signs of life is left alone, however long', async (t) => {
  const { done, look } = watch(t, { limit: 3, silence: 5 })
  look(100, { alive: true })
  look(5)
  look(1, { alive: true })
  look(5)
  t.strictSame(done, [])
})

t.test('one whose event loop is blocked is killed, when it has said why', async (t) => {
  const { done, written, look } = watch(t, { limit: 3, silence: 5 })
  look(6)
  const said = [2, 'the event loop has been blocked too long, killing the process\n']
  t.strictSame(done, [said])
  written[0]?.()
  t.strictSame(done, [said, KILLED])
  look(20)
  t.strictSame(done, [said, KILLED, KILLED], 'also when nobody reads it, and said once')
})

t.test('one that stands at a breakpoint is not', async (t) => {
  const { state, done, look } = watch(t, { limit: 3, silence: 5 })
  Atomics.store(state, AT.debugged, 1)
  look(50)
  t.strictSame(done, [])
  Atomics.store(state, AT.debugged, 0)
  look(5)
  t.strictSame(done, [])
  look(1)
  t.equal(done.length, 1)
})

t.test('an end that takes too long is ended, signs of life or not', async (t) => {
  const { state, done, look } = watch(t, { limit: 3, silence: 5 })
  look(10, { alive: true })
  Atomics.store(state, AT.ending, 1)
  look(3, { alive: true })
  t.strictSame(done, [])
  look(1, { alive: true })
  t.strictSame(done, [[2, 'the end takes too long, killing the process\n']])
})

t.test('a thread watches from the start on, or from the beginning of an end before it', async (t) => {
  const threads: Worker[] = []
  const note = (thread: Worker) => void threads.push(thread)
  process.on('worker', note)
  t.teardown(() => process.off('worker', note))
  const hour = 3_600_000
  for (const begin of ['start', 'expectEnd'] as const) {
    const watchdog = new Watchdog(hour)
    watchdog[begin]()
    watchdog[begin]()
    await turn()
    t.equal(threads.length, 1, begin)
    watchdog.expectEnd()
    await turn()
    t.equal(threads.length, 1)
    await threads.pop()?.terminate()
  }
})
