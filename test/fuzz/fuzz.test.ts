// Among the first, because it takes long.

import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { describe, fuzz, unreached } from './fuzz.ts'

/** `npm run fuzz` is for more, and for others. */
const RUNS = amount({ few: 1500, many: 14_000 })

t.test('requests made from the document, right and wrong', { timeout: 580_000 }, async (t) => {
  const report = await fuzz(t, { runs: RUNS, seed: 1 })

  t.test('every reply is one that the document declares', async (t) => {
    for (const finding of report.findings) t.fail(describe(finding))
    t.strictSame(report.errors, [], 'nobody has to look at the log')
  })

  t.test('and right ones succeed, so it is the operations that are asked', async (t) => {
    t.strictSame(unreached(report), [], 'test/fuzz/live-values.ts says what no schema can')
  })

  const sent = [...report.tallies.values()].reduce((sum, tally) => sum + tally.sent, 0)
  t.ok(sent >= RUNS, `${sent} requests were sent`)
})
