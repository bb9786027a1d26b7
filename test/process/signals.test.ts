import { Writable } from 'node:stream'
import { mock } from 'node:test'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { LogDestination } from '#lib/log/destination.ts'
import { announce } from '#process/announce.ts'
import { followParent } from '#process/parent.ts'
import { WorkerGroup } from '#process/primary/worker-group.ts'
import type { Service } from '#process/service.ts'
import { followSignals, leaveSignalsToPrimary } from '#process/signals.ts'
import { change } from '#test/support/change.ts'
import { testConfig } from '#test/support/helper.ts'

const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'uncaughtException'] as const

/** Sets up listeners, and returns those that were added; they are removed when the test ends. */
function added(t: Test, work: () => void) {
  const before = new Map(NAMES.map((name) => [name, process.listeners(name as 'SIGINT')]))
  work()
  const listeners = new Map(
    NAMES.map((name) => [
      name,
      process.listeners(name as 'SIGINT').filter((listener) => !before.get(name)?.includes(listener)),
    ]),
  )
  t.teardown(() => {
    for (const [name, all] of listeners) for (const listener of all) process.off(name, listener)
  })
  return {
    counts: NAMES.map((name) => listeners.get(name)?.length),
    send: (name: (typeof NAMES)[number], value: unknown = name) => {
      for (const listener of listeners.get(name) ?? []) Reflect.apply(listener, process, [value])
    },
  }
}

function rig() {
  const done: unknown[] = []
  const note =
    (name: string) =>
    async (...args: unknown[]) =>
      void done.push([name, ...args])
  const state = { isUnderWay: false }
  const shutdown = {
    begin: note('begin'),
    exitNow: note('exitNow'),
    onSignal: note('onSignal'),
    onError: note('onError'),
    get isUnderWay() {
      return state.isUnderWay
    },
  }
  const service: Service = { logDestination: new LogDestination(new Writable()), primary: undefined }
  return { done, shutdown, service, state }
}

const config = testConfig('postgres://a:b@127.0.0.1:1/c', { APP_SERVER__WORKERS: '1' })
const several = testConfig('postgres://a:b@127.0.0.1:1/c', { APP_SERVER__WORKERS: '2' })

t.test('signals and uncaught errors end a process', async (t) => {
  change(t, process.env, '_', 'node')
  change(t, process.env, 'npm_lifecycle_event', undefined)
  const { done, shutdown, service } = rig()
  const { counts, send } = added(t, () => followSignals(service, config, shutdown))
  t.strictSame(counts, [1, 1, 1, 1, 1])
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) send(name)
  const error = new Error('broken')
  send('uncaughtException', error)
  send('SIGUSR2')
  t.strictSame(done, [
    ['onSignal', 'SIGINT'],
    ['onSignal', 'SIGTERM'],
    ['onSignal', 'SIGHUP'],
    ['onError', error],
  ])
})

t.test('the end of the terminal does not end what nohup started', async (t) => {
  change(t, process.env, '_', '/usr/bin/nohup')
  const { done, shutdown, service } = rig()
  const { counts, send } = added(t, () => followSignals(service, config, shutdown))
  t.strictSame(counts, [1, 1, 1, 1, 1], 'or Node would end it')
  for (const name of ['SIGHUP', 'SIGINT'] as const) send(name)
  t.strictSame(done, [['onSignal', 'SIGINT']])
})

t.test('SIGHUP replaces the workers of a primary, unless it ends', async (t) => {
  change(t, process.env, '_', 'node')
  const { done, shutdown, service, state } = rig()
  const lines: string[] = []
  const group = new WorkerGroup(
    { config: several, sources: new Map() },
    pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
  )
  let restarted = 0
  change(t, group, 'restart', () => restarted++)
  service.group = group
  const { send } = added(t, () => followSignals(service, several, shutdown))
  change(t, process.env, 'APP_ENVIRONMENT', 'test')
  send('SIGHUP')
  t.equal(restarted, 1)
  change(t, process.env, 'APP_SERVER__PORT', 'none')
  send('SIGHUP')
  t.equal(restarted, 1, 'not with settings that are wrong')
  t.match(
    lines.map((line) => JSON.parse(line)),
    [{ level: Number, msg: 'not restarting: the workers go on as they are' }],
  )
  Reflect.deleteProperty(process.env, 'APP_SERVER__PORT')
  state.isUnderWay = true
  send('SIGHUP')
  t.equal(restarted, 1)
  send('SIGUSR2')
  t.match(JSON.parse(lines[1] ?? ''), { log_levels: { level: 'debug' } })
  send('SIGTERM')
  t.strictSame(done, [['onSignal', 'SIGTERM']])
})

t.test('a worker does what its primary says, and nothing at a Ctrl-C', async (t) => {
  const { done, shutdown, service } = rig()
  const orders: Parameters<NonNullable<Service['primary']>['follow']>[0][] = []
  const primary = Object.assign(Object.create(null), {
    follow: (order: (typeof orders)[0]) => orders.push(order),
  })
  const before = added(t, leaveSignalsToPrimary)
  t.strictSame(before.counts, [1, 0, 1, 1, 0])
  for (const name of NAMES) before.send(name)
  const { counts, send } = added(t, () => followSignals({ ...service, primary }, config, shutdown))
  t.strictSame(counts, [0, 1, 0, 1, 1])
  send('SIGUSR2')
  t.strictSame(done.splice(0), [])
  send('SIGTERM')
  const [order] = orders
  order?.stop('SIGINT')
  order?.retire()
  order?.abort()
  order?.orphaned()
  t.match(done, [
    ['begin', { signal: 'SIGTERM' }],
    ['begin', { signal: 'SIGINT' }],
    ['begin', { restart: true }],
    ['exitNow', {}, 'told to exit at once'],
    ['begin', { err: { message: 'the primary process is gone' } }],
  ])
  t.equal(done.length, 5)
})

t.test('what npm started ends with npm, and what nohup and npm started does not', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  change(t, process.env, 'npm_lifecycle_event', 'start')
  for (const [command, expected] of [
    ['node', [['onSignal', 'SIGTERM']]],
    ['nohup', []],
  ] as const) {
    await t.test(command, async (t) => {
      change(t, process.env, '_', command)
      const { done, shutdown, service } = rig()
      added(t, () => followSignals(service, config, shutdown))
      mock.timers.tick(5000)
      t.strictSame(done, [])
      change(t, process, 'ppid', 1)
      mock.timers.tick(5000)
      t.strictSame(done, expected)
    })
  }
  let gone = 0
  followParent(() => gone++)
  change(t, process, 'ppid', 1)
  mock.timers.tick(500)
  mock.timers.tick(5000)
  t.equal(gone, 1, 'once')
})

t.test('where things are, and that others can reach what is for development', async (t) => {
  const said = (changes: object, mailbox: unknown = {}) => {
    const lines: string[] = []
    const { write } = process.stderr
    process.stderr.write = (text: string | Uint8Array) => lines.push(String(text)) > 0
    try {
      announce(Object.assign(Object.create(null), { config: { ...config, ...changes }, mailbox }), 'http://a')
    } finally {
      process.stderr.write = write
    }
    return lines
      .join('')
      .split('\n')
      .map((line) => line.trim().replace(/\s+/, ' '))
  }
  const local = { ...config.server, host: '127.0.0.1' }
  const all = { environment: 'development', server: local }
  const common = ['Health http://a/health', 'Metrics http://a/metrics', '']
  const web = ['API http://a/api/v1', 'Swagger UI http://a/docs', 'Mailbox http://a/dev/mail', ...common]
  t.strictSame(said(all), web)
  t.strictSame(said(all, null), web.toSpliced(2, 1))
  t.strictSame(said({ ...all, docs: { ...config.docs, enabled: false } }), web.toSpliced(1, 1))
  t.strictSame(said({ ...all, role: 'worker' }), common)
  t.strictSame(said({ ...all, environment: 'test' }), [''])
  t.strictSame(said({ environment: 'production', server: { ...local, host: '0.0.0.0' } }), [''])
  for (const environment of ['development', 'test'])
    t.match(said({ environment, server: { ...local, host: '0.0.0.0' } })[0], /^Warning Others can reach/)
})
