import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { endConnection } from '#lib/database/end-connection.ts'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { whenAvailable } from '#lib/database/when-available.ts'
import { Instances } from '#lib/instances/instances.ts'
import { shareWhilePending } from '#lib/metrics/share-while-pending.ts'
import { WorkerProcess } from '#process/primary/worker-process.ts'
import { end } from '#test/process/channel.ts'
import { testConfig } from '#test/support/helper.ts'
import { stopTimers } from '#test/support/stop-timers.ts'

const never = () => new Promise<never>(() => undefined)
const silent = () => undefined
const ABOUT = { version: '1.2.3', answerTimeout: 1000 }

function start(work: () => Promise<unknown>, slow?: () => void): Promise<void> {
  const { signal } = new AbortController()
  return whenAvailable(work, { signal, connectionTimeoutMs: 500, away: silent, ...(slow && { slow }) })
}

function worker(): WorkerProcess {
  const listener = { collected: silent, read: never, logLevelsWanted: silent, stuck: silent }
  const loaded = { config: testConfig('postgres://a:b@127.0.0.1:1/c'), sources: new Map() }
  return new WorkerProcess(loaded, true, listener, end().worker)
}

/** Waits for things that never come, after how many milliseconds each is given up, and its outcome then. */
const WAITS: Record<string, readonly [number, () => Promise<unknown>, unknown?]> = {
  'an answer of the database for metrics': [1000, shareWhilePending(never)],
  'the first attempt of a start, which is told': [
    2500,
    () => new Promise<string>((done) => void start(never, () => done('slow'))),
    'slow',
  ],
  'a start that tells nobody': [2500, () => start(never)],
  'the end of a connection': [1000, () => endConnection({ end: never })],
  'the metrics of a worker': [80, () => worker().collect(80)],
}

const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length

t.test('what never comes is given up in time', async (t) => {
  const before = timers()
  for (const [name, [, wait]] of Object.entries(WAITS)) {
    void wait()
    await turn()
    t.equal(timers(), before, `${name} keeps no process alive`)
  }
  const pass = stopTimers(t)
  for (const [name, [milliseconds, wait, outcome]] of Object.entries(WAITS)) {
    const given: unknown[] = []
    void wait().then((value) => given.push(value))
    await pass(milliseconds - 1)
    t.strictSame(given, [], `${name} is waited for`)
    await pass(1)
    t.strictSame(given, [outcome], `${name} is given up`)
  }
})

t.test('a start goes on every second until the database is there, and no longer', async (t) => {
  const pass = stopTimers(t)
  const away = [new Error('first'), new Error('second')]
  const causes: unknown[] = []
  let attempts = 0
  const work = async () => {
    const cause = away[attempts++]
    if (cause !== undefined) throw new DatabaseUnavailable({ cause })
  }
  const { signal } = new AbortController()
  await whenAvailable(work, { signal, connectionTimeoutMs: 500, away: (cause) => causes.push(cause) })
  t.strictSame([attempts, causes], [1, away.slice(0, 1)])
  for (const [milliseconds, expected] of [
    [999, 1],
    [1, 2],
    [999, 2],
    [1, 3],
    [5000, 3],
  ] as const) {
    await pass(milliseconds)
    t.equal(attempts, expected, `after ${milliseconds} ms more`)
  }
  t.strictSame(causes, away, 'each attempt that fails is told')
})

t.test('a start that is slow goes on in the background, and again where that fails', async (t) => {
  const pass = stopTimers(t)
  const first = Promise.withResolvers<void>()
  let attempts = 0
  const started = start(() => {
    attempts++
    return attempts === 1 ? first.promise : Promise.resolve()
  })
  await pass(2500)
  await started
  await pass(5000)
  t.equal(attempts, 1, 'not two at once')
  first.reject(new DatabaseUnavailable())
  await pass(1000)
  await pass(1000)
  t.equal(attempts, 2)
})

/** A service's count of instances over a database of which the test says what it answers. */
function instances(answer: (name: string | undefined) => Promise<unknown>) {
  const told: unknown[] = []
  const log = { info: silent, error: silent, warn: (about: object) => told.push(about) }
  const asked: (string | undefined)[] = []
  const db = {
    async query<Row extends object>({ name }: { name?: string }): Promise<Row[]> {
      asked.push(name)
      const rows: Row[] = []
      const said = await answer(name)
      return said === undefined ? rows : Object.assign(rows, [said])
    },
    transaction: never,
  }
  return { instances: new Instances(db, ABOUT, log), told, asked }
}

t.test(
  'heartbeats: every two seconds, and what refuses them is told once until they go through',
  async (t) => {
    const pass = stopTimers(t)
    const refusal = new Error('permission denied')
    let failure: Error | undefined = refusal
    const {
      instances: one,
      told,
      asked,
    } = instances(async () => {
      if (failure) throw failure
      return { others: 2, silence: 2000 }
    })
    await one.start()
    t.strictSame(told, [{ err: refusal }])
    await pass(1999)
    t.equal(asked.length, 1)
    await pass(1)
    t.equal(asked.length, 2)
    t.equal(told.length, 1, 'told once')
    failure = undefined
    await pass(2000)
    t.equal(one.known, 3)
    t.equal(told.length, 1)
    failure = new DatabaseUnavailable()
    await pass(2000)
    t.equal(told.length, 1, 'a database that is away is not our story')
    failure = refusal
    await pass(2000)
    t.equal(told.length, 2, 'again when it had worked')
    await one.close()
    t.strictSame(asked, [...Array(5).fill('recordInstance'), 'deleteInstance'])
  },
)

t.test('neither start nor end of the heartbeats waits for a database that does not answer', async (t) => {
  const pass = stopTimers(t)
  const done: string[] = []
  const { instances: one } = instances(never)
  void one.start().then(() => done.push('started'))
  await pass(999)
  t.strictSame(done, [])
  await pass(1)
  t.strictSame(done, ['started'])
  void one.close().then(() => done.push('closed'))
  await pass(999)
  t.strictSame(done, ['started'])
  await pass(1)
  t.strictSame(done, ['started', 'closed'])
})

t.test('others are counted down only when they had the time to come back', async (t) => {
  const pass = stopTimers(t)
  const clock = { ms: 100_000 }
  t.intercept(performance, 'now', { value: () => clock.ms })
  let heard: object = { others: 2, silence: null }
  const { instances: one } = instances(async (name) => (name === 'recordInstance' ? heard : undefined))
  await one.start()
  t.equal(one.known, 3)
  for (const [milliseconds, others, silence, known, why] of [
    [2000, 0, 4000, 1, 'a beat that was late is not an interruption'],
    [2000, 2, 2000, 3, 'more are counted at once'],
    [2000, 0, 4001, 3, 'the database was away'],
    [2999, 1, 2000, 3, 'they may not be back yet'],
    [1, 1, 2000, 2, 'the time for a beat and its answer is over'],
    [2000, 0, null, 2, 'the table was emptied'],
    [2999, 4, 2000, 5, 'more are counted then too'],
    [1, 0, 2000, 1, 'and gone at its end'],
  ] as const) {
    clock.ms += milliseconds
    heard = { others, silence }
    await pass(2000)
    t.equal(one.known, known, why)
  }
  await one.close()
})
