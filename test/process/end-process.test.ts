import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { endNow, endWhenIdle } from '#process/end-process.ts'
import { change } from '#test/support/change.ts'

/** Writes down what would end the process, which goes on. */
function watchEnd(t: Test) {
  const done: unknown[] = []
  const programs: string[][] = []
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void done.push([name, ...args])
  change(t, process, 'execve', (file: string, args: string[]) => {
    const code = /exit[ (](\d+)/.exec(args.at(-1) ?? '')?.[1]
    done.push(['execve', Number(code)])
    programs.push([file, ...args])
  })
  change(t, process, 'kill', note('kill'))
  change(t, process, 'exit', note('exit'))
  const unref = () => done.push('unref')
  // One that is there has to go on.
  if (process.channel) change(t, process.channel, 'unref', unref)
  else change(t, process, 'channel', { unref })
  const { exitCode } = process
  t.teardown(() => {
    process.exitCode = exitCode
  })
  return { done, programs }
}

t.test('another program takes the place of the process, and returns its code', async (t) => {
  const { done, programs } = watchEnd(t)
  endNow(3)
  t.strictSame(done, [
    ['execve', 3],
    ['kill', process.pid, 'SIGKILL'],
    ['exit', 3],
  ])
  t.strictSame(programs.pop(), ['/bin/sh', '/bin/sh', '-c', "trap '' TERM INT HUP; exit 3"])
  change(t, fs, 'existsSync', () => false)
  syncBuiltinESMExports()
  t.teardown(syncBuiltinESMExports)
  endNow(4)
  t.strictSame(
    programs.pop(),
    [process.execPath, process.execPath, '-e', 'process.exit(4)'],
    'without a shell',
  )
  change(t, process, 'execve', undefined)
  done.length = 0
  endNow(5)
  t.strictSame(done, [
    ['kill', process.pid, 'SIGKILL'],
    ['exit', 5],
  ])
})

t.test('a process that has nothing left to do ends by itself, and another in half a second', async (t) => {
  const { done } = watchEnd(t)
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  endWhenIdle(1)
  t.strictSame([process.exitCode, done], [1, ['unref']], 'its channel does not keep it')
  mock.timers.tick(499)
  t.equal(done.length, 1)
  mock.timers.tick(1)
  t.strictSame(done[1], ['execve', 1])
})
