import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { endConnection } from '#lib/database/end-connection.ts'

t.test('an end is waited for, a failure is not told, and silence does not hold anybody up', async (t) => {
  // Its own timer lets the process end.
  const alive = setTimeout(() => undefined, 60_000)
  t.teardown(() => clearTimeout(alive))
  let hasEnded = false
  await endConnection({
    async end() {
      await turn()
      await turn()
      hasEnded = true
    },
  })
  t.ok(hasEnded)
  await endConnection({ end: () => Promise.reject(new Error('not connected')) })
  await endConnection({ end: () => new Promise(() => undefined) })
})
