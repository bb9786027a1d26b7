import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { LogDestination } from '#lib/log/destination.ts'
import type { Service } from '#process/service.ts'
import { endService, exit, Shutdown } from '#process/shutdown.ts'
import { Watchdog } from '#process/watchdog.ts'
import { change } from '#test/support/change.ts'
import { eventually } from '#test/support/eventually.ts'
import { testConfig } from '#test/support/helper.ts'

const { server, ...others } = testConfig('postgres://a:b@127.0.0.1:1/c', { APP_SERVER__WORKERS: '1' })

interface Given {
  workers?: number
  starting?: Promise<void>
  /** Whether another process keeps this one running. */
  isWorker?: boolean
}

/** A service that notes what is done to it, and whose parts do what the test says. The process goes on. */
function rig(t: Test, { workers = 1, starting = Promise.resolve(), isWorker = false }: Given = {}) {
  const done: unknown[] = []
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void done.push([name, ...args])
  const parts: Record<string, () => Promise<void>> = {}
  const part =
    (name: string) =>
    async (...args: unknown[]) => {
      done.push([name, ...args])
      await parts[name]?.()
    }
  for (const name of ['start', 'expectEnd']) change(t, Watchdog.prototype, name, note(`watchdog: ${name}`))
  const bare = (properties: object) => Object.assign(Object.create(null), properties)
  const log = { info: note('info'), fatal: note('fatal') }
  const listener = new EventEmitter()
  const app = bare({
    log,
    server: listener,
    close: part('close'),
    drain: note('drain'),
    retire(time: number) {
      done.push(['retire', time])
      // The clients have gone.
      setImmediate(() => listener.emit('close'))
    },
    recordError: note('recordError'),
  })
  const group = bare({ log, stop: note('stop'), end: part('end workers'), abort: part('abort') })
  const service: Service = {
    logDestination: new LogDestination(new Writable({ write: (_chunk, _encoding, next) => next() })),
    primary: isWorker ? bare({ leave: part('leave primary') }) : undefined,
    ...(workers > 1 ? { group } : { app }),
    tracing: bare({ shutdown: part('send traces') }),
    stopDatabase: part('stop database'),
    abandonDatabase: note('abandon database'),
  }
  const config = {
    ...others,
    server: {
      ...server,
      workers,
      shutdown_timeout: 60_000,
      get drain_delay() {
        done.push('drain_delay')
        return 0
      },
    },
  }
  const ends = { now: note('end now'), whenIdle: note('end when idle') }
  const shutdown = new Shutdown(service, config, starting, ends)
  const timer = { ms: 0, run: () => undefined }
  /** Begins the end; `timer` has the time that it may take, and what happens then. */
  const begin = (work: (on: Shutdown) => void) => {
    const { setTimeout } = globalThis
    Reflect.set(globalThis, 'setTimeout', (run: () => undefined, ms: number) => {
      Object.assign(timer, { ms, run })
    })
    try {
      work(shutdown)
    } finally {
      globalThis.setTimeout = setTimeout
    }
  }
  /** Returns what was done, once the end has come to something. */
  const until = async (last: string) => {
    const isLast = (one: unknown) => Array.isArray(one) && one[0] === last
    await eventually(async () => done.some(isLast), 30)
    return done.splice(0)
  }
  /** Lets what is under way go on, and returns what was done. */
  const turns = async () => {
    for (let count = 0; count < 20; count++) await turn()
    return done.splice(0)
  }
  return { service, parts, ends, shutdown, begin, timer, until, turns }
}

const forever = () => new Promise<never>(() => undefined)
const BEGUN = [['watchdog: expectEnd'], ['info', { signal: 'SIGTERM' }, 'shutting down'], ['drain']]
const ENDED = [['close'], ['send traces', 2000], ['stop database'], ['info', {}, 'shut down']]
const ENDED_AT_ONCE = [['stop database'], ['abandon database'], ['end now', 1]]

t.test('a signal ends everything in its order, after the time in which clients notice', async (t) => {
  const { shutdown, begin, until, turns } = rig(t)
  t.strictSame(await turns(), [['watchdog: start']])
  t.equal(shutdown.isUnderWay, false)
  begin((on) => on.onSignal('SIGTERM'))
  t.equal(shutdown.isUnderWay, true)
  shutdown.begin({ err: new Error('late') })
  const end = ['end when idle', 0]
  t.strictSame(await until('end when idle'), [...BEGUN, ['drain'], 'drain_delay', ...ENDED, end])
})

t.test('an uncaught error is logged and reported, and nobody waits after it', async (t) => {
  const { begin, until, turns } = rig(t)
  await turns()
  const err = new Error('broken')
  begin((on) => on.onError(err))
  t.strictSame(await until('end when idle'), [
    ['watchdog: expectEnd'],
    ['fatal', { err }, 'shutting down'],
    ['recordError', err, { operation: 'process', level: 'fatal' }],
    ['drain'],
    ['drain'],
    ...ENDED,
    ['end when idle', 1],
  ])
})

t.test('a worker that another has replaced hands over its clients', async (t) => {
  const { begin, until, turns } = rig(t, { isWorker: true })
  t.strictSame(await turns(), [], 'it is watched by its primary')
  begin((on) => on.begin({ restart: true }))
  t.strictSame(await until('end when idle'), [
    ['watchdog: expectEnd'],
    ['info', { restart: true }, 'shutting down'],
    'drain_delay',
    ['retire', 1000],
    ['close'],
    ['send traces', 2000],
    ['leave primary'],
    ['stop database'],
    ['info', {}, 'shut down'],
    ['end when idle', 0],
  ])
})

t.test('a primary has its workers end, waits for them, and then has a second more', async (t) => {
  const { begin, parts, until, turns } = rig(t, { workers: 2 })
  await turns()
  const ended = Promise.withResolvers<void>()
  parts['end workers'] = () => ended.promise
  begin((on) => on.onSignal('SIGINT'))
  t.strictSame(await turns(), [
    ['watchdog: expectEnd'],
    ['info', { signal: 'SIGINT' }, 'shutting down'],
    ['stop', 'SIGINT'],
    ['stop', 'SIGINT'],
    ['send traces', 2000],
    ['end workers'],
  ])
  ended.resolve()
  t.strictSame(await until('end when idle'), [...ENDED.slice(2), ['end when idle', 0]])
  const failing = rig(t, { workers: 2 })
  failing.begin((on) => on.begin({ err: new Error('broken') }))
  const told = await failing.until('end when idle')
  t.match(told[2], ['stop', 'SIGTERM'], 'an error is SIGTERM for them')
})

t.test('when its time is over it ends, and says what it was at', async (t) => {
  for (const [workers, part, limit, phase] of [
    [1, 'close', 60_000, 'close the application'],
    [2, 'end workers', 61_000, 'wait for the workers'],
  ] as const) {
    const { begin, parts, timer, until } = rig(t, { workers })
    parts[part] = forever
    begin((on) => on.begin({ signal: 'SIGTERM' }))
    await until(part)
    t.equal(timer.ms, limit)
    timer.run()
    t.strictSame(await until('end now'), [
      ['fatal', { phase }, 'shutdown_timeout is over, exiting'],
      ...(workers > 1 ? [['abort']] : []),
      ...ENDED_AT_ONCE,
    ])
  }
})

t.test('a second signal ends it at once, unless it is the echo of the first', async (t) => {
  let now = 1000
  const at = (time: number, work: () => void) => {
    const clock = performance.now
    now = time
    performance.now = () => now
    try {
      work()
    } finally {
      performance.now = clock
    }
  }
  for (const [name, signal, after, ends] of [
    ['echo', 'SIGINT', 499, false],
    ['again', 'SIGINT', 500, true],
    ['another', 'SIGTERM', 0, true],
  ] as const) {
    await t.test(name, async (t) => {
      const { shutdown, begin, parts, turns, until } = rig(t)
      parts['close'] = forever
      at(1000, () => begin((on) => on.onSignal('SIGINT')))
      await until('close')
      at(1000 + after, () => shutdown.onSignal(signal))
      const expected = [['fatal', { signal }, 'second signal, exiting'], ...ENDED_AT_ONCE]
      t.strictSame(ends ? await until('end now') : await turns(), ends ? expected : [])
    })
  }
  const { shutdown, begin, parts, until } = rig(t)
  parts['close'] = forever
  const err = new Error('broken')
  begin((on) => on.onError(err))
  await until('close')
  shutdown.onSignal('SIGINT')
  t.match(
    await until('end now'),
    [['fatal', {}, 'second signal, exiting']],
    'one after an error is not an echo',
  )
  shutdown.onError(err)
  t.match(await until('end now'), [['fatal', { err }, 'uncaught error during shutdown, exiting']])
})

t.test('a part that fails to end fails the end, and the database is left all the same', async (t) => {
  const { begin, parts, until, turns, service } = rig(t)
  await turns()
  const err = new Error('does not close')
  parts['close'] = () => Promise.reject(err)
  begin((on) => on.begin({ signal: 'SIGTERM' }))
  const failed = [['close'], ['stop database'], ['fatal', { err }, 'shutdown failed']]
  const begun = [...BEGUN, ['drain'], 'drain_delay']
  t.strictSame(await until('end now'), [...begun, ...failed, ...ENDED_AT_ONCE])
  await t.rejects(endService(service), err)
  t.strictSame(await turns(), [['close'], ['stop database']])
  parts['close'] = async () => undefined
  await endService(service)
  t.strictSame(await turns(), ENDED.slice(0, 3))
})

t.test('a start is finished first, and what becomes of it does not matter', async (t) => {
  for (const failing of [false, true]) {
    await t.test(failing ? 'failed' : 'done', async (t) => {
      const start = Promise.withResolvers<void>()
      const { begin, turns, until } = rig(t, { starting: start.promise })
      t.strictSame(await turns(), [], 'nor is it watched')
      begin((on) => on.begin({ signal: 'SIGTERM' }))
      t.strictSame(await turns(), BEGUN)
      if (failing) start.reject(new Error('the port is taken'))
      else start.resolve()
      const end = [['drain'], 'drain_delay', ...ENDED, ['end when idle', 0]]
      t.strictSame(await until('end when idle'), failing ? end : [['watchdog: start'], ...end])
    })
  }
})

t.test('the log is taken first', async (t) => {
  const { ends, turns } = rig(t)
  await turns()
  const taken = Promise.withResolvers<() => void>()
  const stream = new Writable({ write: (_chunk, _encoding, done) => taken.resolve(done) })
  const logDestination = new LogDestination(stream)
  logDestination.write('the last words\n')
  const exited = exit({ logDestination }, 1, ends)
  t.strictSame(await turns(), [])
  const next = await taken.promise
  next()
  await exited
  t.strictSame(await turns(), [['end when idle', 1]])
})
