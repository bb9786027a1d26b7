import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type Check, CheckFailed, type CheckName, HealthChecks } from '#lib/health/health.ts'

/** Checks of which the test decides the outcome, and timers that it moves. */
function rig(t: Test, checks: readonly (readonly [CheckName, Check])[], isDraining = () => false) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  return new HealthChecks(new Map(checks), isDraining)
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('every check is run, and says why it failed in words that anyone may read', async (t) => {
  const health = rig(t, [
    ['database', async () => undefined],
    ['migrations', () => Promise.reject(new CheckFailed('there is no room'))],
    ['draining', () => Promise.reject(new Error('a password'))],
  ])
  const [database, redis, storage, draining, ...others] = await health.run()
  t.match(database, { name: 'database', status: 'up', latency_ms: Number })
  t.notOk(Object.hasOwn(database ?? {}, 'reason'))
  t.match(redis, { name: 'migrations', status: 'down', reason: 'there is no room', latency_ms: Number })
  t.match(storage, { name: 'draining', status: 'down', reason: 'failed', latency_ms: Number })
  t.strictSame(draining, { name: 'draining', status: 'up', latency_ms: 0 })
  t.strictSame(others, [])
})

t.test('a latency is in milliseconds, to three digits', async (t) => {
  const clock = { ms: 5 }
  t.intercept(performance, 'now', { value: () => clock.ms })
  const health = rig(t, [
    [
      'database',
      async () => {
        clock.ms += 12.34567
      },
    ],
  ])
  t.match(await health.run(), [{ latency_ms: 12.346 }, {}])
})

t.test('results are kept for a second, but that it drains is seen at once', async (t) => {
  let runs = 0
  let isDraining = false
  const check = async () => {
    runs++
  }
  const health = rig(t, [['database', check]], () => isDraining)
  await Promise.all([health.run(), health.run()])
  mock.timers.tick(999)
  t.match((await health.run())[1], { status: 'up' })
  t.equal(runs, 1)
  isDraining = true
  t.strictSame((await health.run())[1], {
    name: 'draining',
    status: 'down',
    reason: 'the instance is shutting down',
    latency_ms: 0,
  })
  t.equal(runs, 1)
  mock.timers.tick(1)
  await health.run()
  t.equal(runs, 2)
})

t.test('a check that does not answer has failed after a while', async (t) => {
  const health = rig(t, [['database', () => new Promise<void>(() => undefined)]])
  const running = health.run()
  let isDone = false
  running.then(() => {
    isDone = true
  })
  mock.timers.tick(1499)
  await turn()
  t.equal(isDone, false)
  mock.timers.tick(1)
  t.match(await running, [{ status: 'down', reason: 'no answer within 1500 ms' }, {}])
})
