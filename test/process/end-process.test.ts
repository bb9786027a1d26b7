import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { mock } from 'node:test'
import t from 'tap'
import { endNow, endWhenIdle } from '#process/end-process.ts'
import { change } from '#test/support/change.ts'
import { watchEnd } from './watch-end.ts'

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
