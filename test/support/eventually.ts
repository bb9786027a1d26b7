import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until it is so, for five minutes at most unless told otherwise (seconds). */
export async function eventually(passes: () => Promise<boolean>, within = 300): Promise<void> {
  for (const deadline = Date.now() + within * 1000; !(await passes()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`it did not come about within ${within} s`)
  }
}
