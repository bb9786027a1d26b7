import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until it is so, for half a minute at most. */
export async function eventually(passes: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await passes()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error('it did not come about within 30 s')
  }
}
