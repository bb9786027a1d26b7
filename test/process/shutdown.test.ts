import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import { Writable } from 'node:stream'
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { LogDestination } from '#lib/log/destination.ts'
import type { Service } from '#process/service.ts'
import { endService, exit, Shutdown } from '#process/shutdown.ts'
import { Watchdog } from '#process/watchdog.ts'
import { change } from '#test/support/change.ts'
import { testConfig } from '#test/support/helper.ts'
import { watchEnd } from './watch-end.ts'

const HOUR_MS = 3_600_000

const env = { APP_SERVER__SHUTDOWN_TIMEOUT: '30s' }
const config = testConfig('postgres://a:b@127.0.0.1:1/c', { ...env, APP_SERVER__WORKERS: '1' })
const slow = { ...config, server: { ...config.server, drain_delay: 5000 } }
const leading = { ...slow, server: { ...slow.server, workers: 2 } }

/** A service that writes down what is done to it, and whose parts do what the test says. */
function rig(t: Test, { given = config, starting = Promise.resolve() } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] })
  syncBuiltinESMExports()
  t.teardown(() => {
    mock.timers.reset()
    syncBuiltinESMExports()
  })
  const { done, note } = watchEnd(t)
  change(t, Watchdog.prototype, 'start', () => done.push('watch'))
  const parts: Record<string, () => Promise<void>> = {}
  const part =
    (name: string) =>
    (...args: unknown[]) => {
      done.push([name, ...args])
      return parts[name]?.() ?? Promise.resolve()
    }
  const bare = (properties: object) => Object.assign(Object.create(null), properties)
  const server = new EventEmitter()
  const log = { info: note('info'), fatal: note('fatal') }
  const service: Service = {
    logDestination: new LogDestination(new Writable()),
    primary: undefined,
    app: bare({
      log,
      server,
      close: part('close'),
      drain: note('drain'),
      retire: note('retire'),
      recordError: note('recordError'),
    }),
    tracing: bare({ shutdown: part('send traces') }),
    stopDatabase: part('stop database'),
    abandonDatabase: note('abandon database'),
  }
  const group = bare({ log, stop: note('stop'), end: part('end workers'), abort: part('abort') })
  const primary = bare({ leave: part('leave primary') })
  const shutdown = new Shutdown(service, given, starting)
  const turns = async () => {
    for (let count = 0; count < 20; count++) {
      await turn()
      // A delay of 0 takes no time.
      mock.timers.tick(0)
    }
    return done.splice(0)
  }
  const tick = (time: number) => {
    mock.timers.tick(time)
    return turns()
  }
  return { done, service, group, primary, parts, server, shutdown, turns, tick }
}

const forever = () => new Promise<never>(() => undefined)
const BEGUN = [['info', { signal: 'SIGTERM' }, 'shutting down'], ['drain']]
const ENDED = [['close'], ['send traces', 2000], ['stop database'], ['info', {}, 'shut down']]
const NOW = [
  ['execve', 1],
  ['kill', process.pid, 'SIGKILL'],
  ['exit', 1],
]

t.test('a signal ends everything in its order, and then the process, when it is idle', async (t) => {
  const { shutdown, turns, tick } = rig(t)
  t.strictSame(await turns(), ['watch'])
  t.equal(shutdown.isUnderWay, false)
  shutdown.begin({ signal: 'SIGTERM' })
  t.equal(shutdown.isUnderWay, true)
  shutdown.begin({ err: new Error('late') })
  t.strictSame(await turns(), ['watch', ...BEGUN, ['drain'], ...ENDED, 'unref'])
  t.equal(process.exitCode, 0)
  t.strictSame(await tick(499), [])
  t.match(await tick(1), [['execve', 0]], 'what still runs is ended')
  t.strictSame(await tick(HOUR_MS), [], 'the deadline has gone')
})

t.test(
  'the delay in which clients notice is for signals, and the workers of a primary have it',
  async (t) => {
    const err = new Error('broken')
    const begun = async (t: Test, given: typeof config, reason: Parameters<Shutdown['begin']>[0]) => {
      const { shutdown, turns, tick } = rig(t, { given })
      await turns()
      shutdown.begin(reason)
      const names = (items: unknown[]) => items.flat().filter((item) => item === 'close')
      return [names(await turns()), names(await tick(4999)), names(await tick(1))].map(({ length }) => length)
    }
    await t.test('signal', async (t) => t.strictSame(await begun(t, slow, { signal: 'SIGINT' }), [0, 0, 1]))
    await t.test('none', async (t) => t.strictSame(await begun(t, config, { signal: 'SIGINT' }), [1, 0, 0]))
    await t.test('error', async (t) => t.strictSame(await begun(t, slow, { err }), [1, 0, 0]))
    await t.test('primary', async (t) =>
      t.strictSame(await begun(t, leading, { signal: 'SIGINT' }), [1, 0, 0]),
    )
  },
)

t.test('an uncaught error is logged and reported, and its code is 1', async (t) => {
  const { shutdown, turns } = rig(t)
  await turns()
  const err = new Error('broken')
  shutdown.onError(err)
  t.strictSame(await turns(), [
    'watch',
    ['fatal', { err }, 'shutting down'],
    ['recordError', err, { operation: 'process', level: 'fatal' }],
    ['drain'],
    ['drain'],
    ...ENDED,
    'unref',
  ])
  t.equal(process.exitCode, 1)
  shutdown.onError(err)
  t.strictSame(await turns(), [
    ['fatal', { err }, 'uncaught error during shutdown, exiting'],
    ['stop database'],
    ['abandon database'],
    ...NOW,
  ])
})

t.test('a worker that was replaced hands its clients over first', async (t) => {
  const { shutdown, service, server, primary, turns } = rig(t, { given: slow })
  await turns()
  Object.assign(service, { primary })
  shutdown.begin({ restart: true })
  t.strictSame(await turns(), ['watch', ['info', { restart: true }, 'shutting down'], ['retire', 5000]])
  server.emit('close')
  t.strictSame(await turns(), [...ENDED.toSpliced(2, 0, ['leave primary']), 'unref'])
  t.equal(process.exitCode, 0)
})

t.test('a primary has its workers end, and waits for them', async (t) => {
  const { shutdown, service, group, parts, turns } = rig(t, { given: leading })
  await turns()
  Object.assign(service, { app: undefined, group })
  const ended = Promise.withResolvers<void>()
  parts['end workers'] = () => ended.promise
  shutdown.onSignal('SIGINT')
  const begun = [['stop', 'SIGINT'], ['stop', 'SIGINT'], ['send traces', 2000], ['end workers']]
  t.strictSame(await turns(), ['watch', ['info', { signal: 'SIGINT' }, 'shutting down'], ...begun])
  ended.resolve()
  t.strictSame(await turns(), [...ENDED.slice(2), 'unref'])
})

t.test('an error of a primary is SIGTERM for its workers', async (t) => {
  const { shutdown, service, group, turns } = rig(t, { given: leading })
  Object.assign(service, { app: undefined, group })
  shutdown.begin({ err: new Error('broken') })
  t.strictSame(
    (await turns()).filter((item) => Array.isArray(item) && item[0] === 'stop'),
    Array(2).fill(['stop', 'SIGTERM']),
  )
})

t.test('at its limit it exits, and says what it was at; workers have a second less', async (t) => {
  for (const [name, given, limit] of [
    ['single', config, 30_000],
    ['primary', leading, 31_000],
  ] as const) {
    await t.test(name, async (t) => {
      const { shutdown, service, group, parts, turns, tick } = rig(t, { given })
      Object.assign(service, { group })
      parts['close'] = forever
      shutdown.begin({ signal: 'SIGTERM' })
      await turns()
      t.strictSame(await tick(limit - 1), [])
      const why = [{ phase: 'close the application' }, 'shutdown_timeout is over, exiting']
      t.strictSame(await tick(1), [
        ['fatal', ...why],
        ['abort'],
        ['stop database'],
        ['abandon database'],
        ...NOW,
      ])
    })
  }
})

t.test('a second signal ends it at once, unless it is the echo of the first', async (t) => {
  let now = 1000
  for (const [name, signal, after, ends] of [
    ['echo', 'SIGINT', 499, false],
    ['again', 'SIGINT', 500, true],
    ['another', 'SIGTERM', 0, true],
  ] as const) {
    await t.test(name, async (t) => {
      const { shutdown, parts, turns } = rig(t)
      change(t, performance, 'now', () => now)
      parts['close'] = forever
      shutdown.onSignal('SIGINT')
      await turns()
      now += after
      shutdown.onSignal(signal)
      const expected = [
        ['fatal', { signal }, 'second signal, exiting'],
        ['stop database'],
        ['abandon database'],
      ]
      t.strictSame(await turns(), ends ? [...expected, ...NOW] : [])
    })
  }
  const { shutdown, parts, turns } = rig(t)
  parts['close'] = forever
  shutdown.onError(new Error('broken'))
  await turns()
  shutdown.onSignal('SIGINT')
  t.match(await turns(), [['fatal', {}, 'second signal, exiting']], 'and one after an error is never an echo')
})

t.test('a part that fails to end fails the end, and the database is left all the same', async (t) => {
  const { shutdown, parts, turns, service } = rig(t)
  await turns()
  const err = new Error('does not close')
  parts['close'] = () => Promise.reject(err)
  shutdown.begin({ signal: 'SIGTERM' })
  const failed = [['close'], ['stop database'], ['fatal', { err }, 'shutdown failed']]
  t.strictSame(await turns(), [
    'watch',
    ...BEGUN,
    ['drain'],
    ...failed,
    ['stop database'],
    ['abandon database'],
    ...NOW,
  ])
  await t.rejects(endService(service), err)
  t.strictSame(await turns(), [['close'], ['stop database']])
  parts['close'] = async () => undefined
  await endService(service)
  t.strictSame(await turns(), ENDED.slice(0, 3))
})

t.test('a database that does not end is not waited for longer than a second', async (t) => {
  const { shutdown, parts, turns, tick } = rig(t)
  await turns()
  parts['stop database'] = forever
  void shutdown.exitNow({}, 'told to')
  t.strictSame(await turns(), [['fatal', {}, 'told to'], ['stop database']])
  t.strictSame(await tick(999), [])
  t.strictSame(await tick(1), [['abandon database'], ...NOW])
})

t.test('a start is finished first, and what becomes of it does not matter', async (t) => {
  for (const failing of [false, true]) {
    await t.test(failing ? 'failed' : 'done', async (t) => {
      const start = Promise.withResolvers<void>()
      const { shutdown, turns } = rig(t, { starting: start.promise })
      t.strictSame(await turns(), [], 'nor is it watched')
      shutdown.begin({ signal: 'SIGTERM' })
      t.strictSame(await turns(), ['watch', ...BEGUN])
      if (failing) start.reject(new Error('the port is taken'))
      else start.resolve()
      const watched = failing ? [] : ['watch']
      t.strictSame(await turns(), [...watched, ['drain'], ...ENDED, 'unref'])
    })
  }
  const { service, primary, turns } = rig(t)
  await turns()
  new Shutdown({ ...service, primary }, config, Promise.resolve())
  t.strictSame(await turns(), [], 'a worker is watched by its primary')
})

t.test('the log is taken first, if somebody takes it within a second', async (t) => {
  const { turns, tick } = rig(t)
  await turns()
  const taken: (() => void)[] = []
  const stream = new Writable({ write: (_chunk, _encoding, done) => void taken.push(done) })
  const logDestination = new LogDestination(stream)
  logDestination.write('the last words\n')
  void exit({ logDestination }, 1)
  t.strictSame(await tick(999), [])
  t.strictSame(await tick(1), ['unref'])
  void exit({ logDestination }, 1)
  t.strictSame(await turns(), [])
  taken[0]?.()
  t.strictSame(await turns(), ['unref'])
})
