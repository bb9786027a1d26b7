import { join } from 'node:path'
import t from 'tap'
import { withLock } from '#lib/embedded-postgres/lock.ts'

t.test('one at a time, and those who wait are told once', async (t) => {
  const file = join(t.testdir({}), 'lock')
  const events: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const first = withLock(file, async () => {
    events.push('first in')
    await promise
    events.push('first out')
  })
  const second = withLock(
    file,
    async () => events.push('second in'),
    () => {
      events.push('second waits')
      resolve()
    },
  )
  await Promise.all([first, second])
  t.same(events, ['first in', 'second waits', 'first out', 'second in'])
})

t.test('a failure releases the lock and reaches the caller', async (t) => {
  const file = join(t.testdir({}), 'lock')
  await t.rejects(
    withLock(file, () => Promise.reject(new Error('failed'))),
    { message: 'failed' },
  )
  t.equal(await withLock(file, async () => 'free'), 'free')
})

t.test('a file that cannot be locked is an error, not a wait', async (t) => {
  const file = join(t.testdir({ lock: 'no database '.repeat(100) }), 'lock')
  await t.rejects(
    withLock(file, async () => 'never'),
    { message: /not a database/ },
  )
})
