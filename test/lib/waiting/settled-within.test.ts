import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { settledWithin } from '#lib/waiting/settled-within.ts'

/** Longer than any test. */
const LONG_MS = 600_000

const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length

t.test('work that is done or has failed in time leaves no timer behind', async (t) => {
  const before = timers()
  const [done, failed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const waits = [settledWithin(done.promise, LONG_MS), settledWithin(failed.promise, LONG_MS)]
  t.equal(timers(), before + 2, 'both keep the process alive meanwhile')
  done.resolve()
  failed.reject(new Error('it does not work'))
  t.same(await Promise.all(waits), [true, true])
  t.equal(timers(), before)
})

t.test('work that takes too long is left alone', async (t) => {
  const work = Promise.withResolvers<void>()
  t.equal(await settledWithin(work.promise, 1), false)
  work.reject(new Error('later'))
  await sleep(1)
  t.pass('its error is nobody’s')
})
