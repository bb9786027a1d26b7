import { syncBuiltinESMExports } from 'node:module'
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Owner } from './database.ts'

/**
 * Stops the clock of `setTimeout`, also of the one that was imported from `node:timers/promises`, until the test ends.
 * For files that run alone (`*.process.test.ts`): other applications of a process would lose the timers that they set
 * meanwhile.
 *
 * @returns moves that clock by some milliseconds, and lets happen what follows from it
 */
export function stopTimers(t: Owner): (milliseconds: number) => Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] })
  // Else what was imported by name would still be Node's own.
  syncBuiltinESMExports()
  t.teardown(() => {
    mock.timers.reset()
    syncBuiltinESMExports()
  })
  return async (milliseconds) => {
    await turn()
    mock.timers.tick(milliseconds)
    await turn()
  }
}
